# A bundle: a generated main.py, the function's folder, shared/, and the function's locked
# requirements.txt at the top; no caches, no hidden files. local/bundles.py stages by the same
# rule, and a test compares the two byte for byte.

locals {
  root = "${path.module}/.."

  bundle_paths = {
    for name in keys(local.functions) : name => [
      for path in setunion(fileset(local.root, "functions/${name}/**"), fileset(local.root, "shared/**")) : path
      if length(regexall("(^|/)[.]|(^|/)__pycache__/|[.]pyc$", path)) == 0 && path != "functions/${name}/requirements.txt"
    ]
  }

  # Path in the bundle -> content. Only paths and contents count: no mode, no time, no order.
  bundles = {
    for name, function in local.functions : name => merge(
      {
        for path in local.bundle_paths[name] : path => file("${local.root}/${path}")
      },
      {
        "main.py"          = "from functions.${name}.main import ${function.entry_point}  # noqa: F401\n"
        "requirements.txt" = file("${local.root}/functions/${name}/requirements.txt")
      },
    )
  }

  bundle_hashes = { for name, files in local.bundles : name => substr(sha256(jsonencode(files)), 0, 16) }
}

data "archive_file" "bundles" {
  for_each = local.bundles

  type        = "zip"
  output_path = "${path.module}/.bundles/${each.key}.zip"

  dynamic "source" {
    for_each = each.value

    content {
      filename = source.key
      content  = source.value
    }
  }
}

resource "google_storage_bucket_object" "bundles" {
  for_each = local.bundles

  bucket = google_storage_bucket.buckets["code"].name
  name   = "${each.key}/${local.bundle_hashes[each.key]}.zip"
  source = data.archive_file.bundles[each.key].output_path

  lifecycle {
    create_before_destroy = true
  }
}
