# infra/README.md lists these in a table that is generated from this file.

variable "project_id" {
  description = "The Google Cloud project that everything is made in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "A project id has 6 to 30 lower-case letters, digits and dashes, and starts with a letter."
  }
}

variable "region" {
  description = "The region of everything, and where models are tuned. A base model must be tuned there: see shared/models.yaml."
  type        = string

  validation {
    condition     = contains(local.tuning_regions, var.region)
    error_message = "No base model is tuned in that region. Take one of: ${join(", ", local.tuning_regions)}."
  }
}

variable "prefix" {
  description = "Put before every name, so that two copies can live in one project. Up to 8 letters, digits and dashes, then a dash."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z][a-z0-9-]{0,7}-)?$", var.prefix))
    error_message = "A prefix is empty, or a letter, up to 7 letters, digits or dashes, and a dash, such as \"staging-\"."
  }
}

variable "labels" {
  description = "Labels for everything that takes labels, beside app and copy."
  type        = map(string)
  default     = {}
}

variable "notification_prefixes" {
  description = "Only objects whose names begin so are worked on, by bucket. An empty text means every object."
  type        = object({ datasets = optional(list(string), [""]), documents = optional(list(string), [""]) })
  default     = {}

  validation {
    condition     = length(var.notification_prefixes.datasets) > 0 && length(var.notification_prefixes.documents) > 0
    error_message = "Name at least one prefix for each bucket; \"\" takes every object."
  }
}

variable "max_concurrent_jobs" {
  description = "How many tuning jobs run at a time. A project starts with a quota of about one."
  type        = number
  default     = 1

  validation {
    condition     = var.max_concurrent_jobs >= 1 && floor(var.max_concurrent_jobs) == var.max_concurrent_jobs
    error_message = "The number of jobs is a whole number, 1 or more."
  }
}

variable "tuning_budget_usd_per_month" {
  description = "What all tuning of this copy may cost in a calendar month (UTC), in US dollars: a run that does not fit is not started. 0 is no cap."
  type        = number
  default     = 0

  validation {
    condition     = var.tuning_budget_usd_per_month >= 0
    error_message = "A budget is 0 or more."
  }
}

variable "stuck_after_hours" {
  description = "How long a tuning job may show no progress before an alert. A job that keeps only its last checkpoint shows none while it runs: allow for the longest."
  type        = number
  default     = 6

  validation {
    condition     = var.stuck_after_hours > 0
    error_message = "The time is more than 0 hours."
  }
}

variable "keep_replaced_days" {
  description = "How long the earlier versions of objects that were replaced or deleted are kept."
  type        = number
  default     = 30
}

variable "keep_deleted_days" {
  description = "How long objects that are gone can still be restored (soft delete): 7 to 90 days, or 0 for never."
  type        = number
  default     = 7

  validation {
    condition     = var.keep_deleted_days == 0 || (var.keep_deleted_days >= 7 && var.keep_deleted_days <= 90)
    error_message = "Soft delete takes 7 to 90 days, or 0."
  }
}

variable "delete_documents_after_days" {
  description = "Delete documents and their results after this many days. 0 keeps them."
  type        = number
  default     = 0
}

variable "force_destroy" {
  description = "Let terraform destroy delete buckets with everything in them. Without it, a bucket that is not empty stays."
  type        = bool
  default     = false
}

variable "kms_key" {
  description = "A Cloud KMS key in the same region that encrypts buckets, topics, functions and images: projects/…/cryptoKeys/…. Empty: Google's keys."
  type        = string
  default     = ""

  validation {
    condition     = var.kms_key == "" || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "A key is projects/…/locations/…/keyRings/…/cryptoKeys/…."
  }
}

variable "vpc_connector" {
  description = "A Serverless VPC Access connector that all traffic of the functions goes out through, for VPC Service Controls. Empty: none."
  type        = string
  default     = ""
}

variable "build_worker_pool" {
  description = "A private Cloud Build worker pool that builds the functions, for VPC Service Controls. Empty: Google's pool."
  type        = string
  default     = ""
}

variable "tuning_service_account" {
  description = "Make an account that tuning jobs can run as. The functions do not use it yet: it is for tuning jobs that you start yourself."
  type        = bool
  default     = false
}

variable "notification_channels" {
  description = "Monitoring notification channels that alerts go to: projects/…/notificationChannels/…."
  type        = list(string)
  default     = []
}

variable "alert_email" {
  description = "An address that alerts are mailed to. Empty: none."
  type        = string
  default     = ""
}

variable "alert_after_minutes" {
  description = "How long messages may wait with none being processed before an alert."
  type        = number
  default     = 30

  validation {
    condition     = var.alert_after_minutes >= 20
    error_message = "One message may take 10 minutes and is tried again after 10 more: allow at least 20."
  }
}

variable "alert_error_ratio" {
  description = "The share of a function's requests that may fail over 15 minutes before an alert."
  type        = number
  default     = 0.1

  validation {
    condition     = var.alert_error_ratio > 0 && var.alert_error_ratio < 1
    error_message = "A share is between 0 and 1."
  }
}

variable "billing_account" {
  description = "The billing account of the budget, such as 012345-6789AB-CDEF01. Needed with monthly_budget."
  type        = string
  default     = ""
}

variable "monthly_budget" {
  description = "What the project may cost a month, in the billing account's currency, before alerts at 50, 90 and 100 %. 0 makes no budget."
  type        = number
  default     = 0

  validation {
    condition     = var.monthly_budget == 0 || var.billing_account != ""
    error_message = "A budget needs billing_account."
  }
  validation {
    condition     = var.monthly_budget >= 0 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "A budget is a whole amount."
  }
}
