# Metrics are what Pub/Sub and Cloud Run measure themselves, and the functions' log lines counted.
# Every message named here is one that the product logs; a test holds that.

locals {
  # Log line -> the fields that become the metric's labels; with a value, that field is measured
  # rather than lines counted.
  log_metrics = {
    "datasets-converted"  = { message = "dataset converted", labels = ["task"] }
    "candidates-measured" = { message = "candidate measured", labels = ["task", "split"] }
    "runs-recorded"       = { message = "run recorded", labels = ["task", "state"] }
    "jobs-moved"          = { message = "job moved", labels = ["before", "now"] }
    "estimated-spend"     = { message = "run recorded", labels = ["task", "state"], value = "estimated_usd" }
    "answer-confidence"   = { message = "document answered", labels = ["task"], value = "confidence" }
    "jobs-stuck"          = { message = "a job shows no progress", labels = ["task"] }
    "prices-above"        = { message = "a job cost more than was reserved", labels = ["task"], value = "actual_usd" }
    "verdicts"            = { message = "verdict", labels = ["task", "decision"] }
    "champions"           = { message = "champion", labels = ["task"] }
    "documents-answered"  = { message = "document answered", labels = ["task", "status"] }
    "inputs-rejected"     = { message = "rejected", labels = ["function"] }
    "retries"             = { message = "trying again later", labels = ["function", "error"] }
    "bugs"                = { message = "bug", labels = ["function", "error"] }
  }

  # Log lines that somebody should know of at once.
  log_alerts = {
    bug = {
      title  = "a function met a bug, or something needs a person"
      filter = "severity>=ERROR AND jsonPayload.error:*"
      labels = { message = "EXTRACT(jsonPayload.message)", error = "EXTRACT(jsonPayload.error)" }
      advice = "The log line has the error's type and the lines of code that it came through. The message is delivered again until it is dead-lettered."
    }
    near_budget = {
      title  = "a tuning run takes most of its budget"
      filter = "jsonPayload.message=\"run recorded\" AND jsonPayload.state=\"open\" AND jsonPayload.budget_share>=0.8"
      labels = { task = "EXTRACT(jsonPayload.task)", run = "EXTRACT(jsonPayload.run)" }
      advice = "The run has started and is expected to stay within tuning.budget_usd; the estimate errs by up to 25 %. Its record in the artifacts bucket says what it may cost."
    }
    stuck = {
      title  = "a tuning job shows no progress"
      filter = "jsonPayload.message=\"a job shows no progress\""
      labels = { task = "EXTRACT(jsonPayload.task)", job = "EXTRACT(jsonPayload.job)" }
      advice = "Look at the job in the console; its record in the artifacts bucket has its resource name. A job that keeps only its last checkpoint shows no progress while it runs. To stop it, cancel its run by a message: docs/messages.md."
    }
    price_above = {
      title  = "a tuning job cost more than was reserved"
      filter = "jsonPayload.message=\"a job cost more than was reserved\""
      labels = { task = "EXTRACT(jsonPayload.task)", run = "EXTRACT(jsonPayload.run)" }
      advice = "It is in the month's ledger, budget/<month>.json in the artifacts bucket, and blocks later runs. If prices have changed, mend shared/models.yaml."
    }
    kill_switch = {
      title  = "tuning jobs wait because the kill switch is on"
      filter = "jsonPayload.message=\"the kill switch is on, so no job is created\""
      labels = { waiting = "EXTRACT(jsonPayload.waiting)" }
      advice = "Somebody wrote stop.json into the artifacts bucket; it says why. Delete it to let tuning go on."
    }
    retirement_soon = {
      title  = "a base model in use is retired within 30 days"
      filter = "jsonPayload.message=\"a base model retires soon\" AND jsonPayload.days<=30"
      labels = { task = "EXTRACT(jsonPayload.task)", base_model = "EXTRACT(jsonPayload.base_model)", days = "EXTRACT(jsonPayload.days)" }
      advice = "When it is retired, documents are not answered any more. Google lets no new project tune a model in its last month. Name another base model in the task's tuning.base_model, and upload task.yaml."
    }
    retirement = {
      title  = "a base model in use is about to be retired"
      filter = "jsonPayload.message=\"a base model retires soon\" AND jsonPayload.days>30"
      labels = { task = "EXTRACT(jsonPayload.task)", base_model = "EXTRACT(jsonPayload.base_model)", days = "EXTRACT(jsonPayload.days)" }
      advice = "Name another base model in the task's tuning.base_model, and upload task.yaml: the task's latest file is measured and tuned again. With tuning.retune_before_retirement, that was asked for already."
    }
    over_budget = {
      title  = "a tuning run was refused over its budget"
      filter = "jsonPayload.message=\"run recorded\" AND jsonPayload.state=\"refused\""
      labels = { task = "EXTRACT(jsonPayload.task)", run = "EXTRACT(jsonPayload.run)" }
      advice = "Nothing was spent. The run's record in the artifacts bucket says what it would have cost. Raise tuning.budget_usd in task.yaml, or ask for fewer configurations."
    }
  }

  services_filter = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in values(local.names) : "\"${name}\""])})"
  service_one_of  = "resource.labels.service_name = one_of(${join(",", [for name in values(local.names) : "\"${name}\""])})"

  # Each function's subscriptions as a regular expression.
  subscriptions_of = {
    for name in keys(local.functions) : name => join("|", [
      for item in values(local.subscriptions) : replace(item.name, ".", "[.]") if item.function == name
    ])
  }

  channels = concat(var.notification_channels, google_monitoring_notification_channel.email[*].id)
}

resource "google_logging_metric" "metrics" {
  for_each = local.log_metrics

  project     = var.project_id
  name        = "${var.prefix}tunedrop/${each.key}"
  description = "tunedrop logged \"${each.value.message}\""
  filter      = "${local.services_filter} AND jsonPayload.message=\"${each.value.message}\""

  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }
  value_extractor  = try("EXTRACT(jsonPayload.${each.value.value})", null)

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = can(each.value.value) ? "DISTRIBUTION" : "INT64"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == "" ? 0 : 1

  project      = var.project_id
  display_name = "${var.prefix}tunedrop"
  type         = "email"
  labels       = { email_address = var.alert_email }
  user_labels  = local.labels

  depends_on = [google_project_service.apis]
}

resource "google_monitoring_alert_policy" "dead_letters" {
  for_each = local.dead_letters

  project               = var.project_id
  display_name          = "${var.prefix}tunedrop: ${each.key} has undeliverable messages"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { function = each.key })

  conditions {
    display_name = "messages in ${each.value}"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.dead_letters[each.key].name}\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content = "Look at a message with `gcloud pubsub subscriptions pull ${each.value} --project=${var.project_id} --limit=1`, mend the cause, then publish it to its topic again. Messages stay for 31 days."
  }
}

# A long queue is fine as long as it gets shorter: waiting and nothing acknowledged is not.
resource "google_monitoring_alert_policy" "stalled" {
  for_each = local.names

  project               = var.project_id
  display_name          = "${var.prefix}tunedrop: ${each.key} processes nothing while messages wait"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { function = each.key })

  conditions {
    display_name = "messages wait, none is acknowledged"

    condition_prometheus_query_language {
      query = join(" ", [
        "sum(pubsub_googleapis_com:subscription_num_undelivered_messages{subscription_id=~\"${local.subscriptions_of[each.key]}\"}) > 0",
        "unless",
        "sum(increase(pubsub_googleapis_com:subscription_push_request_count{subscription_id=~\"${local.subscriptions_of[each.key]}\",response_class=\"ack\"}[${var.alert_after_minutes}m])) > 0",
      ])
      duration            = "${var.alert_after_minutes * 60}s"
      evaluation_interval = "60s"
    }
  }

  documentation {
    content = "The function's own log says why: `gcloud functions logs read ${each.value} --project=${var.project_id} --region=${var.region}`. Messages are kept for 7 days."
  }

  depends_on = [google_pubsub_subscription.subscriptions]
}

# The watcher makes up for lost events and follows tuning jobs, so its silence matters by itself.
resource "google_monitoring_alert_policy" "watcher_silent" {
  project               = var.project_id
  display_name          = "${var.prefix}tunedrop: watch_jobs is not running"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { function = "watch_jobs" })

  conditions {
    display_name = "no tick was handled"

    condition_absent {
      filter   = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${local.names["watch_jobs"]}\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"2xx\""
      duration = "1800s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content = "See whether the Cloud Scheduler job ${google_cloud_scheduler_job.tick.name} is paused, then the function's log. Tuning jobs go on by themselves; nothing is lost."
  }
}

resource "google_monitoring_alert_policy" "error_ratio" {
  project               = var.project_id
  display_name          = "${var.prefix}tunedrop: many requests fail"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = "share of requests answered with 5xx"

    condition_threshold {
      filter             = "resource.type = \"cloud_run_revision\" AND ${local.service_one_of} AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"5xx\""
      denominator_filter = "resource.type = \"cloud_run_revision\" AND ${local.service_one_of} AND metric.type = \"run.googleapis.com/request_count\""
      comparison         = "COMPARISON_GT"
      threshold_value    = var.alert_error_ratio
      duration           = "900s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }

  documentation {
    content = "503 is a service that was busy or a record that others wrote at the same time; such messages are delivered again. 500 is a bug. The metric tunedrop/retries says which error, tunedrop/bugs which function."
  }

  depends_on = [google_cloudfunctions2_function.functions]
}

resource "google_monitoring_alert_policy" "logged" {
  for_each = local.log_alerts

  project               = var.project_id
  display_name          = "${var.prefix}tunedrop: ${each.value.title}"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter           = "${local.services_filter} AND ${each.value.filter}"
      label_extractors = each.value.labels
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content = each.value.advice
  }

  depends_on = [google_project_service.apis]
}
