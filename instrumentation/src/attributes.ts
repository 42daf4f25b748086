import type { Attributes, AttributeValue } from '@opentelemetry/api';

/** Attributes without those that are unknown: unknown is left out, never sent as an empty value. */
export function known(values: Record<string, AttributeValue | undefined>): Attributes {
  const attributes: Attributes = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined && value !== '') attributes[key] = value;
  }
  return attributes;
}
