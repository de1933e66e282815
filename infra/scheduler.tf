# The tick goes through Pub/Sub like everything else: it is retried and dead-lettered the same way,
# and watch_jobs need not be open to anybody else.

resource "google_cloud_scheduler_job" "tick" {
  project     = var.project_id
  region      = var.region
  name        = "${var.prefix}${local.table.schedule.topic}"
  description = "tunedrop: has watch_jobs look at all open work"
  schedule    = local.table.schedule.cron
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.topics[local.table.schedule.topic].id
    data       = base64encode("{}")
  }

  depends_on = [google_pubsub_subscription.subscriptions]
}
