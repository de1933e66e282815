# People write into datasets and documents; functions write into results and artifacts. So nothing
# writes where it listens. Code has a bucket of its own.

locals {
  buckets = {
    datasets  = { delete_after_days = 0 }
    documents = { delete_after_days = var.delete_documents_after_days }
    results   = { delete_after_days = var.delete_documents_after_days }
    artifacts = { delete_after_days = 0 }
    code      = { delete_after_days = 0 }
  }
}

resource "google_storage_bucket" "buckets" {
  #checkov:skip=CKV_GCP_62:Access logs are Cloud Audit Logs, which the project turns on for all its buckets; usage logs would need a bucket that is itself not logged.
  for_each = local.buckets

  project                     = var.project_id
  name                        = "${var.project_id}-${var.prefix}${each.key}"
  location                    = var.region
  labels                      = local.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.keep_deleted_days * 24 * 60 * 60
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = var.keep_replaced_days
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.delete_after_days == 0 ? [] : [each.value.delete_after_days]

    content {
      action {
        type = "Delete"
      }
      condition {
        age        = lifecycle_rule.value
        with_state = "LIVE"
      }
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == "" ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.apis, google_kms_crypto_key_iam_member.agents]
}

# A new object -> a message. Attributes name the object; its metadata is not sent along.
resource "google_storage_notification" "notifications" {
  for_each = local.notifications

  bucket             = google_storage_bucket.buckets[each.value.bucket].name
  topic              = google_pubsub_topic.topics[each.value.topic].id
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = each.value.prefix == "" ? null : each.value.prefix
  payload_format     = "NONE"

  depends_on = [google_pubsub_topic_iam_member.storage_agent]
}
