"""Model names as people write them: in other tools' spelling, copied from pages, and half known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

import pytest

from llmkit.catalogue import resolve as module
from llmkit.catalogue.entry import Model
from llmkit.catalogue.provider_lists import ProviderModelList, with_lists
from llmkit.errors import ConfigError, UnknownModelError, UnknownProviderError
from llmkit.providers.builtin import shipped

DAY = date(2026, 11, 30)
resolve = partial(module.resolve, on=DAY, catalogue=shipped())

# One line for each provider and id: the names that mean it.
MEAN = """
openai:gpt-4o | GPT-4O | openai:gpt-4o | OPENAI:GPT-4O | openai : gpt-4o | gpt\u20114o | gpt\u20134o
openai:gpt-4o | openai-chat:gpt-4o | openai_responses:gpt-4o | Open-AI:gpt-4o | gpt-4o\u200b
openai:gpt-4o | openai\uff1agpt-4o | \u00a0gpt-4o\u00a0
openai:gpt-3.5-turbo-instruct | text-completion-openai/gpt-3.5-turbo-instruct
openai:chatgpt-4o-latest | chatgpt-4o-latest
openai:gpt-9-nova | openai:gpt-9-nova
openai:ft:gpt-4o:org::id | ft:gpt-4o:org::id | openai:ft:gpt-4o:org::id
openai:gpt-6.2-sol | gpt-6.2-sol | openai:gpt-6.2-sol
anthropic:claude-haiku-4-5 | Claude Haiku 4.5 | claude_haiku_4.5 | anthropic:claude-haiku-4.5
anthropic:claude-haiku-4-5 | claude/claude-haiku-4-5 | claude:claude-haiku-4-5
anthropic:claude-sonnet-9 | anthropic:claude-sonnet-9
anthropic:claude-mythos-5-2 | claude-mythos-5-2
google:gemini-3.8-flash | gemini 3.8 flash | models/gemini-3.8-flash | gemini/gemini-3.8-flash
google:gemini-3.8-flash | google_genai:gemini-3.8-flash | google-gla:gemini-3.8-flash
google:gemini-3.8-flash | google_genai/gemini-3.8-flash | GoogleAI/gemini-3.8-flash
google:gemini-3.8-flash | google-ai-studio/gemini-3.8-flash | gemini:models/gemini-3.8-flash
google:gemini-3.8-flash-tts | google:gemini-3.8-flash-tts
google:gemini-4-neon | gemini/gemini-4-neon | gemini-4-neon
mistral:mistral-small-latest | mistral/mistral-small-latest | mistralai:mistral-small-latest
mistral:mistral-small-latest | mistral-ai/mistral-small-latest | Mistral_AI:mistral-small-latest
mistral:ft:open-mistral-7b:abc:20240430:c1be | ft:open-mistral-7b:abc:20240430:c1be
openrouter:openrouter/auto | openrouter/auto | openrouter:auto | openrouter/openrouter/auto
openrouter:openrouter/free | openrouter/free | OpenRouter:free | open_router/free
openrouter:openrouter/horizon-alpha | openrouter/horizon-alpha
openrouter:openrouter/auto:online | openrouter/auto:online | openrouter:auto:online
openrouter:openai/gpt-4o | openai/gpt-4o | openrouter/openai/gpt-4o | openrouter:openai/gpt-4o
openrouter:openai/gpt-4o | OpenAI/GPT-4o | openai / gpt-4o | openai\uff0fgpt-4o
openrouter:openai/gpt-4o:free | openai/gpt-4o:free | openrouter/openai/gpt-4o:free
openrouter:openai/gpt-4o:extended | openai/gpt-4o:extended | openrouter:openai/gpt-4o:extended
openrouter:openai/gpt-4o:nitro | openai/gpt-4o:nitro | openai/gpt-4o:NITRO
openrouter:openai/gpt-4o:floor | openai/gpt-4o:floor
openrouter:openai/gpt-4o:exacto | openai/gpt-4o:exacto
openrouter:openai/gpt-4o:online | openai/gpt-4o:online
openrouter:openai/gpt-9:free | openai/gpt-9:free
openrouter:openai/gpt-4o@preset/mail | openai/gpt-4o@preset/mail
openrouter:@preset/mail | @preset/mail | openrouter/@preset/mail | openrouter:@preset/mail
openrouter:anthropic/claude-opus-4.8 | anthropic/claude-opus-4-8 | Anthropic/Claude-Opus-4.8
openrouter:~anthropic/claude-opus-latest | ~anthropic/claude-opus-latest
openrouter:x-ai/grok-99 | x-ai/grok-99
openrouter:deepseek/deepseek-chat | deepseek/deepseek-chat
openrouter:meta-llama/llama-3.3-70b-instruct | meta-llama/Llama-3.3-70B-Instruct
openrouter:qwen/qwen3-8b | Qwen/Qwen3-8B
openrouter:google/gemini-3.8-flash | google/gemini-3.8-flash
openrouter:perplexity/sonar | perplexity/sonar
openrouter:allenai/olmo-9 | allenai/olmo-9
ollama:llama3.2 | llama3.2 | LLAMA3.2 | library/llama3.2 | ollama/llama3.2 | ollama_chat/llama3.2
ollama:llama3.2 | ollama:library/Llama3.2 | registry.ollama.ai/library/llama3.2
ollama:llama3.2 | ollama-chat:llama3.2 | ollama.com/library/llama3.2
ollama:llama3.2:latest | llama3.2:latest | ollama/library/llama3.2:latest
ollama:llama3.2:1b | Ollama/LLAMA3.2:1B | ollama:llama3.2:1b | llama3.2:1b
ollama:mistral:7b | mistral:7b | ollama:mistral:7b
ollama:qwen2.5:7b | ollama:qwen2.5:7b | ollama/Qwen2.5:7b
ollama:mannix/llama3.1-8b | ollama:mannix/llama3.1-8b | ollama/mannix/llama3.1-8b
ollama:hf.co/Org/W-GGUF:Q4_K_M | hf.co/Org/W-GGUF:Q4_K_M | ollama:hf.co/Org/W-GGUF:Q4_K_M
local:smollm2 | local:smollm2 | local/smollm2
scripted:echo | scripted:echo | scripted/echo
"""
# The service or the words that the error has, and the names.
REFUSED = """
Groq | groq/llama-3.3-70b-versatile | groq:llama-3.3-70b-versatile | GROQ/openai/gpt-oss-120b
Azure | azure/gpt-4o | azure:gpt-4o | azure_ai/mistral-large | azure-openai:gpt-4o | AzureOpenAI/x
Azure | azure/eu/gpt-4o | azure_openai:my-deployment | azureml://registries/a/models/b
Amazon Bedrock | bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0
Amazon Bedrock | amazon-bedrock:amazon.nova-lite
Amazon Bedrock | us.anthropic.claude-haiku-4-5-20251001-v1:0 | anthropic.claude-opus-4-8
Amazon Bedrock | bedrock_converse/amazon.nova-pro-v1:0 | amazon.nova-pro-v1:0 | bedrock:x
Amazon Bedrock | global.anthropic.claude-opus-4-8 | eu.meta.llama3-2-3b-instruct-v1:0
Amazon Bedrock | arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-v1:0
Amazon Bedrock | bedrock/converse/openai.gpt-oss-120b-1:0 | openai.gpt-oss-120b-1:0
Amazon SageMaker | sagemaker/my-endpoint | sagemaker_chat/my-endpoint
Google Vertex AI | vertex_ai/gemini-3.8-flash | google-vertex:gemini-3.8-flash | vertexai/gemini-pro
Google Vertex AI | google_vertexai:gemini-2.5-pro | vertex_ai/claude-opus-4-8 | vertex_ai_beta/x
Google Vertex AI | claude-3-5-sonnet@20240620 | mistral-large@2407 | claude-opus-4-8@default
Google Vertex AI | publishers/google/models/gemini-3.8-flash | google_anthropic_vertex:claude-x
Google Vertex AI | projects/p/locations/us-central1/publishers/google/models/gemini-3.8-flash
Together AI | together_ai/meta-llama/Llama-3-8b | together:meta-llama/Llama-3-8b | togetherai/x
Fireworks AI | fireworks_ai/accounts/fireworks/models/x | fireworks:x | fireworks-ai/x
Fireworks AI | accounts/fireworks/models/deepseek-v3 | accounts/my-org/deployments/1
LM Studio | lm_studio/qwen3-8b | lmstudio:qwen3-8b | LM-Studio/qwen3-8b
vLLM | hosted_vllm/meta-llama/Llama-3.1-8B | vllm/facebook/opt-125m
Cloudflare | cloudflare/@cf/meta/llama-3-8b | @cf/meta/llama-3-8b | workers-ai/@cf/x | @hf/org/x
Hugging Face | huggingface/org/model | huggingface:org/model | hf:org/model | hf/model
GitHub Models | github/gpt-4o | github:gpt-4o | github_models/gpt-4o
GitHub Copilot | github_copilot/gpt-4o | copilot/gpt-4o
ChatGPT | chatgpt/gpt-5.5 | openai-codex:gpt-5.5
DeepSeek | deepseek:deepseek-chat
xAI | xai/grok-4 | xai:grok-4 | x_ai/grok-4
Cohere | cohere:command-a | cohere_chat/command-r
Perplexity | perplexity:sonar | pplx/sonar
Moonshot | moonshot/kimi-k2 | moonshotai:kimi-k2
Z.AI | zai/glm-4.6 | zai:glm-4.6 | zhipuai/glm-4
Meta's Llama API | meta_llama/Llama-4 | llama_api:Llama-4
NVIDIA NIM | nvidia_nim/meta/llama3-70b | nvidia:meta/llama-3.1-8b
Model Studio | dashscope/qwen-max | alibaba:qwen-max | tongyi:qwen-max
Databricks | databricks/databricks-dbrx-instruct | databricks:my-endpoint
Snowflake | snowflake/llama3.1-70b
watsonx | watsonx/ibm/granite-3-8b | watsonx:ibm/granite | ibm:granite
Replicate | replicate/meta/meta-llama-3-8b
Codestral | codestral/codestral-latest
LiteLLM | litellm_proxy/gpt-4o | litellm/anthropic/claude-opus-4-8 | litellm:gpt-4o
Pydantic AI Gateway | gateway/openai:gpt-5.5 | gateway/bedrock:us.anthropic.claude-opus-4-8
Vercel | vercel_ai_gateway/openai/gpt-4o | vercel:openai/gpt-4o
Portkey | portkey/gpt-4o | @openai-prod/gpt-4o
Ollama's cloud | ollama_cloud/gpt-oss:120b
OpenAI's API | openai_like/m | custom_openai/m | openai_compatible:m | custom/m
neither a provider nor a maker | foo/bar | deepseek-ai/DeepSeek-R1 | HuggingFaceTB/SmolLM2-135M
neither a provider nor a maker | TheBloke/Mistral-7B-GGUF | unsloth/x | tunedModels/t
OpenRouter has no such ids | openai/responses/gpt-5.5 | openai/ft:gpt-4o:org::id | google/models/x
web address | https://openrouter.ai/openai/gpt-4o | https://huggingface.co/org/model
Ollama's library | qwen2.5:7b | gemma2 | phi4:14b | Yi:34b | command-r-plus
no variant called cerebras | openai/gpt-4o:cerebras
did you mean openai:gpt-4o | openai:chat:gpt-4o | openai::gpt-4o
at openai use gpt-4o | openai:openai/gpt-4o
at anthropic use claude-opus-4-8 | anthropic:anthropic/claude-opus-4.8
did you mean mistral:mistral-small-latest | mistral:mistralai/mistral-small-latest
ask for local:/models/llama.gguf | /models/llama.gguf
ask for openrouter:deepseek/deepseek-r1:free or ollama:deepseek-r1 | deepseek-r1:free
ask for ollama:llama3.2 | llama3.2:free | llama3.2:nitro
names neither a provider nor a model of Ollama's library | foo:bar | foo:7b | gpt4all:m
did you mean openai:gpt-4o | opnai:gpt-4o | openia:gpt-4o
did you mean claude-sonnet-5-5 | anthropic:claude-sonet-5-5 | anthropic:claude-sonnet-55
anthropic:claude-sonnet-9 sends it as it is | claude-sonnet-9
names no model | openai/ | gpt-4o/ | /gpt-4o | gpt-4o: | openrouter: | openrouter/ | ollama_chat/
"""


def lines(table):
    rows = (line.split(" | ") for line in table.strip().splitlines())
    return [(first.strip(), name) for first, *names in rows for name in names]


def test_there_are_many_names():
    """The two tables are long enough to mean something."""
    assert len(lines(MEAN)) > 100
    assert len(lines(REFUSED)) > 120


@pytest.mark.parametrize(("place", "name"), lines(MEAN))
def test_a_name_means_what_its_writer_means(place, name):
    """Other spellings, prefixes of other tools for the same service, variants, blanks, dashes."""
    found = resolve(name)

    assert f"{found.provider}:{found.model}" == place


@pytest.mark.parametrize(("words", "name"), lines(REFUSED))
def test_a_name_for_another_service_is_refused_by_the_name_of_that_service(words, name):
    """Nothing is sent to a provider that the name does not state, and the error says what to do."""
    with pytest.raises(ConfigError) as raised:
        resolve(name)

    message = str(raised.value)
    assert words in message
    assert len(message) < 480
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("azure/gpt-4o", "openai:gpt-4o"),
        ("vertex_ai/gemini-3.8-flash", "google:gemini-3.8-flash"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic:claude-haiku-4-5-20251001"),
        ("claude-opus-4-8@default", "anthropic:claude-opus-4-8"),
        ("groq/openai/gpt-oss-120b", "openrouter:openai/gpt-oss-120b"),
        ("deepseek-ai/DeepSeek-R1", "openrouter:deepseek/deepseek-r1"),
        ("codestral/codestral-latest", "mistral:codestral-latest"),
        ("gateway/openai:gpt-5.5", "openai:gpt-5.5"),
        ("openai/ft:gpt-4o:org::id", "openai:ft:gpt-4o:org::id"),
        ("zai/glm-4.6", "openrouter:z-ai/glm-4.6"),
        ("sonar-pro", "openrouter:perplexity/sonar-pro"),
        ("kimi-k2", "ollama:kimi-k2"),
        ("gpt-4o:free", "openrouter:openai/gpt-4o:free"),
    ],
)
def test_the_error_suggests_the_same_model_where_it_can_be_had(name, suggestion):
    """The suggestion can be pasted: it resolves."""
    with pytest.raises(UnknownModelError) as raised:
        resolve(name)

    assert suggestion in raised.value.suggestions
    for other in raised.value.suggestions:
        assert resolve(other).provider == other.partition(":")[0]


def test_no_suggestion_is_retired():
    """gpt-4 was retired at OpenAI, so Azure's gpt-4 has no replacement there of that name."""
    with pytest.raises(UnknownModelError) as raised:
        resolve("azure/gpt-4")

    assert "openai:gpt-4" not in raised.value.suggestions


@pytest.mark.parametrize(
    ("name", "own", "model"),
    [
        ("groq/llama-3.3-70b", "groq", "llama-3.3-70b"),
        ("GROQ:llama-3.3-70b", "groq", "llama-3.3-70b"),
        ("lm_studio/qwen3", "lmstudio", "qwen3"),
        ("LM-Studio:qwen3", "lm_studio", "qwen3"),
        ("together_ai/meta-llama/Llama-3", "together", "meta-llama/Llama-3"),
        ("hosted_vllm/m", "vllm", "m"),
        ("us.anthropic.claude-opus-4-8", "bedrock", "us.anthropic.claude-opus-4-8"),
        ("accounts/fireworks/models/x", "fireworks", "accounts/fireworks/models/x"),
        ("lab/some/model", "lab", "some/model"),
        ("my-lab:m", "my_lab", "m"),
        ("lab:My\u2013Model", "lab", "My-Model"),
    ],
)
def test_a_provider_that_was_added_is_meant_by_any_spelling_of_its_service(name, own, model):
    """Then the name goes there, with the rest as it is."""
    found = resolve(name, providers=(own,))

    assert (found.provider, found.model, found.warnings) == (own, model, ())


def test_an_added_server_takes_any_name_if_it_is_stated():
    """A proxy's model may be called azure/gpt-4o; only another provider's colon contradicts."""
    for name in ("azure/gpt-4o", "azure:gpt-4o", "openai/gpt-oss-120b", "ollama/x", "foo/bar"):
        assert resolve(name, "proxy", providers=("proxy",)).model == name
    with pytest.raises(ConfigError, match="names openai"):
        resolve("openai:gpt-4o", "proxy", providers=("proxy",))
    assert resolve("proxy/azure/gpt-4o", "proxy", providers=("proxy",)).model == "azure/gpt-4o"


def test_a_stated_reseller_or_local_server_takes_an_unknown_path():
    """foo/bar says nothing alone; with the provider it is an id like any other."""
    assert resolve("foo/bar", "openrouter").model == "foo/bar"
    assert resolve("foo/bar", "ollama").model == "foo/bar"
    assert resolve("azure/gpt-4o", "openrouter", verbatim=True).model == "azure/gpt-4o"
    with pytest.raises(UnknownModelError, match="neither"):
        resolve("foo/bar", "google")


@pytest.mark.parametrize("name", ["qwen2.5:7b", "gemma2", "phi4:14b", "yi"])
def test_a_name_of_ollamas_library_is_found_at_ollama(name):
    """Only there: bare, it could be anyone's."""
    found = resolve(name, "ollama")

    assert (found.provider, found.model) == ("ollama", name)
    with pytest.raises(UnknownModelError) as raised:
        resolve(name)
    assert raised.value.suggestions[0] == f"ollama:{name}"


def test_a_maker_that_openrouter_has_listed_since_is_one():
    """Its own list of today decides before the shipped catalogue."""
    now = datetime(2026, 11, 30, tzinfo=UTC)
    models = (Model("openrouter", "new-lab/first-1"),)
    today = ProviderModelList("openrouter", "https://openrouter.ai/api/v1", now, models)
    catalogue = with_lists(shipped(), [today], now)

    assert resolve("new-lab/first-1", catalogue=catalogue).provider == "openrouter"
    assert resolve("new-lab/second-2", catalogue=catalogue).provider == "openrouter"
    with pytest.raises(UnknownModelError, match="neither"):
        resolve("new-lab/first-1")


@pytest.mark.parametrize("name", ["azure", "vertex_ai", "Groq", "together-ai"])
def test_an_unknown_provider_that_other_tools_have_is_explained(name):
    """provider="azure" says what Azure is, and how to add it."""
    with pytest.raises(UnknownProviderError, match="which you can add with add_provider"):
        resolve("gpt-4o", name)


def test_openrouters_name_lists_the_direct_ways():
    """The maker's provider if llmkit has it, and one that the user added."""
    haiku = resolve("anthropic/claude-haiku-4.5")
    routed = resolve("openrouter/anthropic/claude-haiku-4.5")
    deepseek = resolve("deepseek/deepseek-chat", providers=("deepseek",))
    grok = resolve("x-ai/grok-4.3:nitro", providers=("xai",))
    newest = resolve("openai/gpt-99")

    assert (haiku.alternatives, haiku.by_maker) == (("anthropic:claude-haiku-4-5",), True)
    assert (routed.alternatives, routed.by_maker) == (("anthropic:claude-haiku-4-5",), False)
    assert deepseek.alternatives == ("deepseek:deepseek-chat",)
    assert grok.alternatives == ("xai:grok-4.3",)
    assert newest.alternatives == ("openai:gpt-99",)
    assert resolve("openai/gpt-oss-120b").alternatives == ()  # OpenAI does not serve it
