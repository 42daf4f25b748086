import { expect, it } from 'vitest';
import { requestBody } from '../wire/body.ts';
import { outgoing } from './outgoing.ts';

const azure = 'https://acme.openai.azure.com/openai';
const foundry = 'https://acme.services.ai.azure.com';
const version = 'api-version=2025-04-01-preview';
const aws = 'https://bedrock-runtime.eu-west-1.amazonaws.com';
const vertex = 'https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/publishers';

const chat = { messages: [] };
const claude = { messages: [], max_tokens: 1 };

// Every form of an address that a client of these hosts makes, with what becomes of it.
it.each([
  [`${azure}/deployments/prod/chat/completions?${version}`, chat, 'azure.ai.openai chat prod'],
  [`${azure}/v1/chat/completions`, { ...chat, model: 'prod' }, 'azure.ai.openai chat prod'],
  [
    `${azure}/v1/chat/completions?api-version=preview`,
    { ...chat, model: 'x' },
    'azure.ai.openai chat x',
  ],
  [`${azure}/responses?${version}`, { model: 'prod', input: 'q' }, 'azure.ai.openai chat prod'],
  [`${azure}/v1/responses`, { model: 'prod', input: 'q' }, 'azure.ai.openai chat prod'],
  [
    `${azure}/deployments/prod/embeddings?${version}`,
    { input: 'q' },
    'azure.ai.openai embeddings prod',
  ],
  [
    `${foundry}/models/chat/completions?${version}`,
    { ...chat, model: 'm' },
    'azure.ai.inference chat m',
  ],
  [
    `${foundry}/anthropic/v1/messages`,
    { ...claude, model: 'claude' },
    'azure.ai.inference chat claude',
  ],
  [
    `${vertex}/anthropic/models/claude@1:streamRawPredict`,
    { ...claude, anthropic_version: 'v' },
    'gcp.vertex_ai chat claude@1',
  ],
  [
    `${vertex}/google/models/gemini:generateContent`,
    { contents: [] },
    'gcp.vertex_ai generate_content gemini',
  ],
  [`${azure}/deployments?${version}`, {}, undefined],
  [`${azure}/deployments/prod/audio/speech?${version}`, {}, undefined],
  [`${aws}/model/m/converse`, {}, undefined],
])('%s', (url, body, expected) => {
  const text = JSON.stringify(body);
  const target = outgoing(url, { method: 'POST', body: text })?.target;
  const parsed = requestBody(text);
  const call = parsed && target?.wire.request(parsed, target.path);
  expect(target && `${target.provider} ${target.wire.operation} ${call?.model}`).toBe(expected);
});
