# What Google Cloud itself bills the project. It tells people; it stops nothing. Tuning is stopped
# before it starts: see tuning.budget_usd in docs/task.md.

resource "google_billing_budget" "monthly" {
  count = var.monthly_budget == 0 ? 0 : 1

  billing_account = var.billing_account
  display_name    = "${var.prefix}tunedrop"

  budget_filter {
    projects        = ["projects/${local.project_number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]

    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = local.channels
  }

  depends_on = [google_project_service.apis]
}
