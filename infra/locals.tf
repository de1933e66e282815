locals {
  # The one table of functions, topics, sizes and roles; local/ reads the same file.
  table     = yamldecode(file("${path.module}/functions.yaml"))
  functions = { for name, own in local.table.functions : name => merge(local.table.defaults, own) }

  # Resource names have dashes where folders have underscores.
  names = { for name in keys(local.functions) : name => "${var.prefix}${replace(name, "_", "-")}" }

  # A function checks where its events come from by the subscription's name.
  subscriptions = merge([
    for name, function in local.functions : {
      for topic in function.topics : "${name}/${topic}" => {
        function = name
        topic    = topic
        name     = "${local.names[name]}.${topic}"
      }
    }
  ]...)
  dead_letters = { for name in keys(local.functions) : name => "${local.names[name]}.dead-letter" }

  # What the functions' accounts may do, one entry a grant.
  bucket_grants = merge([
    for name, function in local.functions : {
      for bucket, role in function.roles.buckets : "${name}/${bucket}" => {
        function = name
        bucket   = bucket
        role     = "roles/storage.${role}"
      }
    }
  ]...)
  topic_grants = merge([
    for name, function in local.functions : {
      for topic in function.roles.topics : "${name}/${topic}" => { function = name, topic = topic }
    }
  ]...)
  project_grants = merge([
    for name, function in local.functions : {
      for role in function.roles.project : "${name}/${role}" => {
        function = name
        role     = "roles/${role}"
      }
    }
  ]...)

  tuning_regions = distinct(flatten([
    for model in values(yamldecode(file("${path.module}/../shared/models.yaml"))) : keys(model.tuned_in)
  ]))

  # One notification a bucket and prefix.
  notifications = merge([
    for bucket, topic in local.table.notifications : {
      for prefix in var.notification_prefixes[bucket] : "${bucket}/${prefix}" => {
        bucket = bucket
        topic  = topic
        prefix = prefix
      }
    }
  ]...)

  labels = merge(var.labels, {
    app  = "tunedrop"
    copy = var.prefix == "" ? "default" : trimsuffix(var.prefix, "-")
  })
}
