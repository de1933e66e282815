output "buckets" {
  description = "The buckets: datasets, documents, results, artifacts, and code."
  value       = { for key, bucket in google_storage_bucket.buckets : key => bucket.name }
}

output "topics" {
  description = "The topics by what they are called in the documentation."
  value       = { for key, topic in google_pubsub_topic.topics : key => topic.id }
}

output "functions" {
  description = "Each function's name on Google Cloud, its account, and the code that it runs."
  value = {
    for key, function in google_cloudfunctions2_function.functions : key => {
      name    = function.name
      account = google_service_account.functions[key].email
      code    = "gs://${google_storage_bucket_object.bundles[key].bucket}/${google_storage_bucket_object.bundles[key].name}"
    }
  }
}

output "dead_letters" {
  description = "Each function's subscription to what could not be delivered."
  value       = { for key, subscription in google_pubsub_subscription.dead_letters : key => subscription.name }
}

output "tuning_account" {
  description = "The account that tuning jobs can run as; empty unless it was asked for."
  value       = join("", google_service_account.tuning[*].email)
}

output "dashboard" {
  description = "Where the dashboard is."
  value       = "https://console.cloud.google.com/monitoring/dashboards?project=${var.project_id}"
}

output "commands" {
  description = "What to do next, from the top of the checkout, as lines for a shell."
  # One text: the values of a map are printed with a backslash before each quotation mark.
  value = <<-EOT
    # 1 upload a task
    gcloud storage cp examples/parcel_questions/task.yaml examples/parcel_questions/parcel_questions.csv gs://${google_storage_bucket.buckets["datasets"].name}/parcel_questions/
    # 2 see what came
    gcloud storage ls --recursive gs://${google_storage_bucket.buckets["artifacts"].name}/tasks/parcel_questions/
    # 3 fetch the reports, and open the page that links them
    mkdir -p out/reports && gcloud storage cp --recursive gs://${google_storage_bucket.buckets["artifacts"].name}/tasks/parcel_questions out/reports && python3 -m webbrowser "file://$PWD/out/reports/parcel_questions/index.html"
    # 4 tune by hand
    gcloud pubsub topics publish ${google_pubsub_topic.topics["tuning-requested"].name} --project=${var.project_id} --message='{"task": "parcel_questions"}'
    # 5 ask
    gcloud storage cp --recursive examples/parcel_questions/documents/* gs://${google_storage_bucket.buckets["documents"].name}/parcel_questions/
    # 6 read
    mkdir -p out/results && gcloud storage cp --recursive gs://${google_storage_bucket.buckets["results"].name}/parcel_questions out/results
    # 7 roll back to the champion before this one
    gcloud pubsub topics publish ${google_pubsub_topic.topics["promotion-requested"].name} --project=${var.project_id} --message='{"task": "parcel_questions", "rollback": true}'
  EOT
}
