locals {
  undelivered = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\""
  requests    = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND ${local.service_one_of}"

  logged = {
    for key, metric in google_logging_metric.metrics :
    key => "metric.type=\"logging.googleapis.com/user/${metric.name}\" AND resource.type=\"cloud_run_revision\""
  }

  # One chart a line; two a row.
  charts = [
    {
      title   = "Arrivals: messages published, by topic"
      filter  = "metric.type=\"pubsub.googleapis.com/topic/send_request_count\" AND resource.type=\"pubsub_topic\" AND resource.labels.topic_id = one_of(${join(",", [for topic in local.table.topics : "\"${var.prefix}${topic}\""])})"
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", group = ["resource.label.topic_id"]
    },
    {
      title   = "Results: documents answered, by status"
      filter  = local.logged["documents-answered"]
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", group = ["metric.label.status"]
    },
    {
      title   = "Confidence of half of the answers is below, by task"
      filter  = local.logged["answer-confidence"]
      aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_50", group = ["metric.label.task"]
    },
    {
      title   = "Answers that went to review, by task"
      filter  = "${local.logged["documents-answered"]} AND metric.labels.status=\"review\""
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", group = ["metric.label.task"]
    },
    {
      title   = "Rejected inputs, by function"
      filter  = local.logged["inputs-rejected"]
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", group = ["metric.label.function"]
    },
    {
      title   = "Queue: messages waiting, by subscription"
      filter  = "${local.undelivered} AND resource.labels.subscription_id = one_of(${join(",", [for item in values(local.subscriptions) : "\"${item.name}\""])})"
      aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", group = ["resource.label.subscription_id"]
    },
    {
      title   = "Dead letters: messages waiting for a person"
      filter  = "${local.undelivered} AND resource.labels.subscription_id = one_of(${join(",", [for name in values(local.dead_letters) : "\"${name}\""])})"
      aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", group = ["resource.label.subscription_id"]
    },
    {
      title   = "Spend: estimated US dollars of a tuning run (95 of 100 are below), by state"
      filter  = local.logged["estimated-spend"]
      aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", group = ["metric.label.state"]
    },
    {
      title   = "Tuning jobs, by the state they came to"
      filter  = local.logged["jobs-moved"]
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", group = ["metric.label.now"]
    },
    {
      title   = "Latency: half of the requests take less, ms"
      filter  = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND ${local.service_one_of}"
      aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_50", group = ["resource.label.service_name"]
    },
    {
      title   = "Latency: 95 of 100 requests take less, ms"
      filter  = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND ${local.service_one_of}"
      aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", group = ["resource.label.service_name"]
    },
    {
      title   = "Age of the oldest message, seconds"
      filter  = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${join(",", [for item in values(local.subscriptions) : "\"${item.name}\""])})"
      aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", group = ["resource.label.subscription_id"]
    },
    {
      title   = "Requests, by answer"
      filter  = local.requests
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", group = ["metric.label.response_code_class"]
    },
  ]
}

resource "google_monitoring_dashboard" "dashboard" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "${var.prefix}tunedrop"
    labels      = local.labels
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, chart in local.charts : {
          xPos   = index % 2 * 6
          yPos   = floor(index / 2) * 4
          width  = 6
          height = 4
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = chart.filter
                    aggregation = {
                      alignmentPeriod    = "300s"
                      perSeriesAligner   = chart.aligner
                      crossSeriesReducer = chart.reducer
                      groupByFields      = chart.group
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_project_service.apis]
}
