"""The local stand-in for Gemini as a Generator, without a server in between."""

from google.cloud import aiplatform_v1

from local.vertex.generation import check_request, generate
from local.vertex.tuned import TunedModel
from shared.ports import Needed, Reply, Sampling
from shared.prompts import Prompt


class StandIn:
    """Answers as the stand-in's server does: the same requests, the same checks, the same model.

    Args:
        tuned: What answers, whatever model is named.
    """

    def __init__(self, tuned: TunedModel) -> None:
        self._tuned = tuned

    def generate(
        self, model: str, prompt: Prompt, sampling: Sampling, needed: Needed | None = None
    ) -> Reply:
        """Ask the model for all samples at once; `needed` changes nothing."""
        del model, needed
        request = aiplatform_v1.GenerateContentRequest(
            system_instruction={"parts": [{"text": prompt.system}]},
            contents=[{"role": role, "parts": [{"text": text}]} for role, text in prompt.turns],
            generation_config={
                "candidate_count": sampling.samples,
                "temperature": sampling.temperature,
                "seed": sampling.seed,
            },
        )
        check_request(request)
        response = generate(request, self._tuned.name, self._tuned)
        usage = response.usage_metadata
        return Reply(
            tuple(candidate.content.parts[0].text for candidate in response.candidates),
            usage.prompt_token_count,
            usage.candidates_token_count,
            response.model_version,
        )
