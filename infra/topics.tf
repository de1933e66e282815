# Topics are facts, in the past tense. Each function has a dead-letter topic of its own.

resource "google_pubsub_topic" "topics" {
  #checkov:skip=CKV_GCP_83:A key of the customer's is an option, kms_key.
  for_each = toset(local.table.topics)

  project                    = var.project_id
  name                       = "${var.prefix}${each.key}"
  labels                     = local.labels
  kms_key_name               = var.kms_key == "" ? null : var.kms_key
  message_retention_duration = "604800s" # published messages can be replayed for a week

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.apis, google_kms_crypto_key_iam_member.agents]
}

resource "google_pubsub_topic" "dead_letters" {
  #checkov:skip=CKV_GCP_83:A key of the customer's is an option, kms_key.
  for_each = local.dead_letters

  project                    = var.project_id
  name                       = each.value
  labels                     = merge(local.labels, { function = each.key })
  kms_key_name               = var.kms_key == "" ? null : var.kms_key
  message_retention_duration = "2678400s" # 31 days, the most there is

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.apis, google_kms_crypto_key_iam_member.agents]
}
