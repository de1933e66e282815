# Each function has a push subscription a topic. A message that fails is delivered again, later and
# later; at last it goes to the function's dead-letter topic, where it waits for a person.

resource "google_pubsub_subscription" "subscriptions" {
  for_each = local.subscriptions

  project                    = var.project_id
  name                       = each.value.name
  topic                      = google_pubsub_topic.topics[each.value.topic].id
  labels                     = merge(local.labels, { function = each.value.function })
  ack_deadline_seconds       = local.functions[each.value.function].ack_deadline_seconds
  message_retention_duration = "604800s"

  # A subscription that nothing has come through for a month is still needed.
  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = google_cloudfunctions2_function.functions[each.value.function].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.invokers[each.value.function].email
      audience              = google_cloudfunctions2_function.functions[each.value.function].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${local.functions[each.value.function].backoff_seconds[0]}s"
    maximum_backoff = "${local.functions[each.value.function].backoff_seconds[1]}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters[each.value.function].id
    max_delivery_attempts = local.functions[each.value.function].max_delivery_attempts
  }

  # Otherwise the first messages would be refused, and Pub/Sub could not move them away.
  depends_on = [
    google_cloud_run_v2_service_iam_member.invokers,
    google_pubsub_topic_iam_member.pubsub_agent,
    google_service_account_iam_member.pubsub_agent,
  ]
}

# Undeliverable messages wait here for a person; there is an alert on each.
resource "google_pubsub_subscription" "dead_letters" {
  for_each = local.dead_letters

  project                    = var.project_id
  name                       = each.value
  topic                      = google_pubsub_topic.dead_letters[each.key].id
  labels                     = merge(local.labels, { function = each.key })
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}
