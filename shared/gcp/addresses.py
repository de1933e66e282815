"""Where Vertex AI is reached."""


def service_address(location: str) -> str:
    """Return the host that answers for a location: a region, a multi-region, or global."""
    if location == "global":
        return "aiplatform.googleapis.com"
    if "-" in location:
        return f"{location}-aiplatform.googleapis.com"
    return f"aiplatform.{location}.rep.googleapis.com"
