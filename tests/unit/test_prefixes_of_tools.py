"""Each prefix of other tools before each id of the catalogue means the service that it says."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from llmkit.catalogue import resolve as module
from llmkit.catalogue.name_parser import openrouter_makers, parse_name
from llmkit.catalogue.provider_table import compact
from llmkit.catalogue.vocabulary import earlier_makers, ollama_library, service_of
from llmkit.errors import ConfigError
from llmkit.providers.builtin import shipped

resolve = partial(module.resolve, on=date(2026, 11, 30), catalogue=shipped())

# Read 2026-11-30 in litellm 1.110.2 (`LlmProviders`), langchain 1.5.2 (`_BUILTIN_PROVIDERS`),
# any-llm-sdk 1.40.2 (the folders of its providers), pydantic-ai-slim 2.68.0
# (`infer_provider_class`), aisuite 0.2.0 and instructor 1.17.0.
WORDS = """
a2a a2a_agent abliteration agentcore ai21 ai21_chat aiand aihubmix aiml aiohttp_openai alibaba
amazon_nova anthropic anthropic_bedrock anthropic_text anyscale apertis apiserpent assemblyai
atlascloud auto_router aws aws_polly aws_textract azure azure-responses azure_ai azure_openai
azure_speech azure_text azureanthropic azureopenai baseten bedrock bedrock-mantle bedrock_converse
bedrock_mantle bedrock_mantle_anthropic bedrock_mantle_openai bespoke bigmodel bing_grounding
black_forest_labs bytez cascadia cerebras charity_engine chatgpt chutes clarifai clf_ai_gateway
cloudflare codestral cognition cohere cohere_chat cometapi compactifai coralbricks cortecs crusoe
cursor custom custom_openai darkbloom dashscope databricks databricks_agent dataforseo datarobot
deepgram deepinfra deepseek docker_model_runner dotprompt duckduckgo edenai elevenlabs empiriolabs
empower eu_jev exa_ai fal_ai featherless featherless_ai firecrawl fireworks fireworks_ai
fireworks_ai-embedding-models friendliai galadriel gateway gdc gemini generative-ai gigachat
github github-copilot github_copilot gmi google google-cloud google-decisions
google_anthropic_vertex google_genai google_pse google_vertexai gradient_ai groq helicone heroku
hosted_vllm hostinger_router huggingface humanloop hyperbolic ibm inception inferenceapis infinity
jina_ai kenari kyma lambda_ai langflow langfuse langgraph langsmith laya lemonade libertai liner
linkup litellm litellm_agent litellm_proxy llama llamacpp llamafile llamagate lm_studio lmstudio
manus maritalk meta meta_llama microsoft_365_copilot milvus minimax mistral mistralai modelscope
mongodb moonshot moonshotai morph mzai nace nadir nano-gpt nebius neosantara nimble nlp_cloud
novita nscale nvidia nvidia_nim nvidia_riva oci ollama ollama_chat oobabooga openai openai-chat
openai-chatgpt openai-codex openai-decisions openai-responses openai_like opencode_go openinfer
openrouter opensearch otari ovhcloud parallel_ai parasail perplexity petals pg_vector pinstripes
poe portkey predibase prism publicai qiniu qwen_ai_platform qwencloud ragflow recraft reducto
refuseless reka replicate requesty runwayml s3_vectors sagemaker sagemaker_chat sagemaker_nova
sail sambanova sap sarvam scaledown scaleway scx-ai searxng sentence-transformers serper snowflake
soniox stability strands_decider streamlake synthetic system-one tavily telnyx tencent tensormesh
text-completion-codestral text-completion-inception text-completion-openai tinyfish together
together_ai tongyi topaz transcribe triton typesafe upstage v0 valkey veniceai vercel
vercel_ai_gateway vertex_ai vertex_ai_beta vertexai vertexaianthropic vllm volcengine voyage
voyageai wally wandb watsonx watsonx_text writer xai xiaomi_mimo xinference you_com zai zerogpu
"""
PREFIXES = WORDS.split()
# The words by which those tools mean a service that llmkit has.
SAME = {
    "openai": "openai openai-chat openai-responses openai-decisions text-completion-openai",
    "anthropic": "anthropic anthropic_text",
    "google": "google gemini google_genai google-gla google-decisions generative-ai",
    "mistral": "mistral mistralai",
    "openrouter": "openrouter",
    "ollama": "ollama ollama_chat",
}
OWNERS = {compact(word): place for place, words in SAME.items() for word in words.split()}
IDS = sorted({model for models in shipped().models.values() for model in models})


PREFIXES_OF_ALL = sorted({*PREFIXES, *openrouter_makers(shipped())})


def place_of(name):
    try:
        return resolve(name).provider
    except ConfigError:
        return None


def meant(prefix, separator):
    """Returns the provider that a prefix means, None for a service that llmkit does not have."""
    if separator == "/" and prefix in openrouter_makers(shipped()):
        return "openrouter"
    return OWNERS.get(compact(prefix))


@pytest.mark.parametrize("separator", ["/", ":"])
def test_an_id_behind_a_prefix_goes_where_the_prefix_says_or_nowhere(separator):
    """A slash after a maker of OpenRouter means OpenRouter; any other word means its service."""
    wrong = []
    for prefix in PREFIXES_OF_ALL:
        places = {
            parse_name(shipped(), f"{prefix}{separator}{model}", ()).provider for model in IDS
        }
        if separator == ":" and prefix == "codestral":  # Ollama's, with a tag
            places.discard("ollama")
        if not places <= {meant(prefix, separator), None}:
            wrong.append((prefix, places))

    assert wrong == []


@pytest.mark.parametrize("separator", ["/", ":"])
def test_what_the_resolver_makes_of_a_prefix_is_what_the_parser_says(separator):
    """Each prefix with a few ids, so that each id has a few prefixes."""
    wrong = []
    for number, prefix in enumerate(PREFIXES_OF_ALL):
        for model in IDS[number % 97 :: 97]:
            name = f"{prefix}{separator}{model}"
            place = place_of(name)
            if place not in (meant(prefix, separator), None) and prefix != "codestral":
                wrong.append((name, place))

    assert wrong == []


def test_every_word_of_another_tool_is_known():
    """As a provider of llmkit, as a maker at OpenRouter, or as another service."""
    table = shipped().providers
    strangers = [
        word for word in PREFIXES if table.name_of(word) not in table and not service_of(word)
    ]

    assert strangers == []


def test_no_word_has_two_meanings():
    """A service is none of llmkit's providers; neither Ollama's library nor an earlier maker."""
    table = shipped().providers
    words = {compact(word) for word in PREFIXES if service_of(word)}

    assert not [word for word in words if table.name_of(word) in table]
    assert {name for name in ollama_library() if service_of(name)} == {"codestral"}
    assert not [maker for maker in earlier_makers() if service_of(maker)]


def test_the_makers_of_openrouter_come_before_words_of_other_tools():
    """deepseek/... is an id of OpenRouter, deepseek:... the service of DeepSeek."""
    both = {maker for maker in openrouter_makers(shipped()) if service_of(maker)}

    assert {"deepseek", "cohere", "perplexity"} <= both
    assert {place_of(f"{maker}/new-model") for maker in both} == {"openrouter"}
    assert {place_of(f"{maker}:new-model") for maker in both} == {None}
