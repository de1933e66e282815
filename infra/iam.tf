# Every grant. docs/security.md holds the same as a table, and a test compares the two.
# Roles are on single resources; on the project only where Google Cloud has nothing narrower.

# What the functions' accounts may do, from functions.yaml.

resource "google_storage_bucket_iam_member" "functions" {
  for_each = local.bucket_grants

  bucket = google_storage_bucket.buckets[each.value.bucket].name
  role   = each.value.role
  member = "serviceAccount:${google_service_account.functions[each.value.function].email}"
}

resource "google_pubsub_topic_iam_member" "functions" {
  for_each = local.topic_grants

  project = var.project_id
  topic   = google_pubsub_topic.topics[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${google_service_account.functions[each.value.function].email}"
}

resource "google_project_iam_member" "functions" {
  for_each = local.project_grants

  project = var.project_id
  role    = each.value.role
  member  = "serviceAccount:${google_service_account.functions[each.value.function].email}"
}

# A function can be called by its own invoker, and by nobody else.

resource "google_cloud_run_v2_service_iam_member" "invokers" {
  for_each = local.names

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.functions[each.key].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.invokers[each.key].email}"
}

# Pub/Sub signs in as the invokers, moves what cannot be delivered, and acknowledges it then.

resource "google_service_account_iam_member" "pubsub_agent" {
  for_each = local.names

  service_account_id = google_service_account.invokers[each.key].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent

  # Google makes the agent when Pub/Sub is used first.
  depends_on = [google_pubsub_topic.topics]
}

resource "google_pubsub_topic_iam_member" "pubsub_agent" {
  for_each = local.dead_letters

  project = var.project_id
  topic   = google_pubsub_topic.dead_letters[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "pubsub_agent" {
  for_each = local.subscriptions

  project      = var.project_id
  subscription = google_pubsub_subscription.subscriptions[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# Cloud Storage publishes what is new in a bucket.

resource "google_pubsub_topic_iam_member" "storage_agent" {
  for_each = toset(values(local.table.notifications))

  project = var.project_id
  topic   = google_pubsub_topic.topics[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.storage_agent
}

# Cloud Build turns a bundle into an image, which goes into this copy's repository.

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project_id
  location   = var.region
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = "serviceAccount:${google_service_account.build.email}"
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.buckets["code"].name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.build.email}"
}

# Cloud Functions copies a bundle into a bucket that it makes itself, and builds from there.
resource "google_project_iam_member" "build_sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = "serviceAccount:${google_service_account.build.email}"

  condition {
    title      = "sources of functions only"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${local.project_number}-${var.region}\")"
  }
}

resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = "serviceAccount:${google_service_account.build.email}"
}

# An account for tuning jobs, only when it is asked for.

resource "google_project_iam_member" "tuning" {
  #checkov:skip=CKV_GCP_49:tuningServiceAgent is the role that Vertex AI asks of such an account; there is none that is narrower.
  count = var.tuning_service_account ? 1 : 0

  project = var.project_id
  role    = "roles/aiplatform.tuningServiceAgent"
  member  = "serviceAccount:${google_service_account.tuning[0].email}"
}

resource "google_service_account_iam_member" "vertex_agent" {
  count = var.tuning_service_account ? 1 : 0

  service_account_id = google_service_account.tuning[0].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.vertex_agent
}

# With a key of the customer's, the services that keep data use it.

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = var.kms_key == "" ? {} : local.encrypting_agents

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value

  depends_on = [google_project_service.apis]
}
