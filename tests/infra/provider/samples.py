"""Small modules for the stand-in's own tests."""

from pathlib import Path

HEAD = """
terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 9"
    }
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
  }
}

provider "google" {
  project = "sample-project"
  region  = "europe-west4"
}
"""

# A bucket, a topic, an account, and what refers to them.
SMALL = """
resource "google_storage_bucket" "data" {
  name     = "sample-data"
  location = "EU"
  labels   = { kind = "data" }
}

resource "google_service_account" "reader" {
  account_id = "reader"
}

resource "google_storage_bucket_iam_member" "reader" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.reader.member
}

resource "google_pubsub_topic" "topics" {
  for_each = toset(["first", "second"])
  name     = each.key
}

resource "google_pubsub_subscription" "tail" {
  name  = "tail"
  topic = google_pubsub_topic.topics["first"].id

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.topics["second"].id
    max_delivery_attempts = 8
  }
}

output "bucket" {
  value = google_storage_bucket.data.url
}

output "topic" {
  value = google_pubsub_topic.topics["first"].id
}
"""

# Two zips, each of a folder beside the module, and an object of each.
ZIPS = """
data "archive_file" "zips" {
  for_each    = toset(["owl", "crow"])
  type        = "zip"
  output_path = "${path.module}/zips/${each.key}.zip"

  dynamic "source" {
    for_each = fileset("${path.module}/../functions/${each.key}", "**")

    content {
      filename = source.value
      content  = file("${path.module}/../functions/${each.key}/${source.value}")
    }
  }
}

resource "google_storage_bucket_object" "zips" {
  for_each = data.archive_file.zips
  bucket   = "sample-code"
  name     = "${each.key}.zip"
  source   = each.value.output_path
}

output "zips" {
  value = data.archive_file.zips
}
"""


def write_module(folder: Path, body: str, *, head: str = HEAD) -> Path:
    """Write a module into a folder of its own, and return that."""
    module = folder / "module"
    module.mkdir()
    (module / "main.tf").write_text(head + body, encoding="utf-8")
    return module


def rewrite(module: Path, old: str, new: str) -> None:
    """Change one place of a module."""
    file = module / "main.tf"
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{old!r} is there {text.count(old)} times")
    file.write_text(text.replace(old, new), encoding="utf-8")
