"""A strict local stand-in of the Vertex AI services that the product uses.

It answers Google's own clients for tuning jobs, content generation, token counts and exact-match
evaluation. It is not Gemini: it learns with small linear models, and says so in every answer.
"""

from local.vertex.api import VertexSettings
from local.vertex.server import VertexServer

__all__ = ["VertexServer", "VertexSettings"]
