# One account a function to run as, one a function to be called as, one to build with.

resource "google_service_account" "functions" {
  for_each = local.names

  project      = var.project_id
  account_id   = each.value
  display_name = "tunedrop: runs ${each.value}"

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "invokers" {
  for_each = local.names

  project      = var.project_id
  account_id   = "${each.value}-push"
  display_name = "tunedrop: calls ${each.value}, for Pub/Sub"

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "${var.prefix}tunedrop-build"
  display_name = "${var.prefix}tunedrop: builds the functions"

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "tuning" {
  count = var.tuning_service_account ? 1 : 0

  project      = var.project_id
  account_id   = "${var.prefix}tunedrop-tuning"
  display_name = "${var.prefix}tunedrop: tuning jobs can run as this"

  depends_on = [google_project_service.apis]
}

# Google's own accounts in this project.

data "google_project" "project" {
  project_id = var.project_id
}

data "google_storage_project_service_account" "storage" {
  project = var.project_id
}

locals {
  project_number = data.google_project.project.number

  storage_agent = "serviceAccount:${data.google_storage_project_service_account.storage.email_address}"
  pubsub_agent  = "serviceAccount:service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  vertex_agent  = "serviceAccount:service-${local.project_number}@gcp-sa-aiplatform.iam.gserviceaccount.com"

  encrypting_agents = {
    artifact_registry = "serviceAccount:service-${local.project_number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    functions         = "serviceAccount:service-${local.project_number}@gcf-admin-robot.iam.gserviceaccount.com"
    pubsub            = local.pubsub_agent
    run               = "serviceAccount:service-${local.project_number}@serverless-robot-prod.iam.gserviceaccount.com"
    storage           = local.storage_agent
  }
}
