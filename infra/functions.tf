locals {
  environment = {
    TUNEDROP_CLOUD                = "google"
    TUNEDROP_PROJECT              = var.project_id
    TUNEDROP_LOCATION             = var.region
    TUNEDROP_DATASETS_BUCKET      = google_storage_bucket.buckets["datasets"].name
    TUNEDROP_DOCUMENTS_BUCKET     = google_storage_bucket.buckets["documents"].name
    TUNEDROP_RESULTS_BUCKET       = google_storage_bucket.buckets["results"].name
    TUNEDROP_ARTIFACTS_BUCKET     = google_storage_bucket.buckets["artifacts"].name
    TUNEDROP_TOPIC_PREFIX         = var.prefix
    TUNEDROP_MAX_CONCURRENT_JOBS  = tostring(var.max_concurrent_jobs)
    TUNEDROP_BUDGET_USD_PER_MONTH = tostring(var.tuning_budget_usd_per_month)
    TUNEDROP_STUCK_AFTER_SECONDS  = tostring(var.stuck_after_hours * 3600)

    # Otherwise the storage client asks for each bucket's metadata, which no function may read.
    DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA = "true"
  }
}

resource "google_cloudfunctions2_function" "functions" {
  for_each = local.functions

  project      = var.project_id
  location     = var.region
  name         = local.names[each.key]
  description  = "tunedrop: ${each.key}, on ${join(", ", each.value.topics)}"
  labels       = local.labels
  kms_key_name = var.kms_key == "" ? null : var.kms_key

  build_config {
    runtime           = local.table.runtime
    entry_point       = each.value.entry_point
    service_account   = google_service_account.build.name
    docker_repository = google_artifact_registry_repository.images.id
    worker_pool       = var.build_worker_pool == "" ? null : var.build_worker_pool

    source {
      storage_source {
        bucket = google_storage_bucket_object.bundles[each.key].bucket
        object = google_storage_bucket_object.bundles[each.key].name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.functions[each.key].email
    ingress_settings                 = "ALLOW_INTERNAL_ONLY" # Pub/Sub push counts as internal
    available_memory                 = each.value.memory
    available_cpu                    = tostring(each.value.cpu)
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.min_instances
    max_instance_count               = each.value.max_instances
    all_traffic_on_latest_revision   = true
    vpc_connector                    = var.vpc_connector == "" ? null : var.vpc_connector
    vpc_connector_egress_settings    = var.vpc_connector == "" ? null : "ALL_TRAFFIC"

    # The framework starts 4 threads a CPU unless told otherwise, whatever the concurrency.
    environment_variables = merge(
      local.environment,
      { THREADS = tostring(each.value.concurrency) },
      each.value.environment,
    )
  }

  # An account that cannot do its work yet would fail its first events.
  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_sources,
    google_project_iam_member.functions,
    google_pubsub_topic_iam_member.functions,
    google_storage_bucket_iam_member.build,
    google_storage_bucket_iam_member.functions,
    google_kms_crypto_key_iam_member.agents,
  ]
}

# The functions' container images.
resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:A key of the customer's is an option, kms_key.
  project       = var.project_id
  location      = var.region
  repository_id = "${var.prefix}tunedrop"
  description   = "Images of tunedrop's functions"
  format        = "DOCKER"
  labels        = local.labels
  kms_key_name  = var.kms_key == "" ? null : var.kms_key

  depends_on = [google_project_service.apis, google_kms_crypto_key_iam_member.agents]
}
