# APIs stay enabled when this is torn down: something else in the project may use them.

locals {
  apis = toset(concat(
    [
      "aiplatform.googleapis.com",
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudscheduler.googleapis.com",
      "iam.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "storage.googleapis.com",
    ],
    var.kms_key == "" ? [] : ["cloudkms.googleapis.com"],
    var.monthly_budget == 0 ? [] : ["billingbudgets.googleapis.com"],
    var.vpc_connector == "" ? [] : ["vpcaccess.googleapis.com"],
  ))
}

resource "google_project_service" "apis" {
  for_each = local.apis

  project            = var.project_id
  service            = each.key
  disable_on_destroy = false
}
