import { maxPointElements, tooManyElements } from '../admission.ts';
import type { DistributionDraft } from '../distribution.ts';
import type { Attribute, OtlpExemplar, OtlpPoint } from '../model.ts';
import { type Cursor, close, double, fixed64, open, skip, tag, varint } from './cursor.ts';
import { readId } from './spans.ts';
import { readAttribute } from './value.ts';

/** A data point while its fields are read. */
export type PointDraft = { -readonly [K in keyof OtlpPoint]: OtlpPoint[K] } & {
  attributes: Attribute[];
  exemplars: OtlpExemplar[];
};

/** Reads one field of a data point, the tag of which has been read. */
export type ReadField = (
  c: Cursor,
  field: number,
  point: PointDraft,
  into: DistributionDraft,
) => void;

/**
 * NumberDataPoint.
 *
 *     4 as_double  double             33
 *     5 exemplars  repeated Exemplar  42
 *     6 as_int     sfixed64           49
 *     7 attributes repeated KeyValue  58
 *     8 flags      uint32             64
 */
export const readNumber: ReadField = (c, field, point) => {
  switch (field) {
    case 33:
      point.value = double(c);
      break;
    case 42:
      addExemplar(c, point);
      break;
    case 49:
      point.value = BigInt.asIntN(64, fixed64(c));
      break;
    case 58:
      point.attributes.push(readAttribute(c));
      break;
    case 64:
      point.flags = uint32(c);
      break;
    default:
      skip(c, field & 7);
  }
};

export function addExemplar(c: Cursor, point: PointDraft): void {
  if (point.exemplars.length >= maxPointElements) throw tooManyElements();
  point.exemplars.push(readExemplar(c));
}

/**
 * Exemplar, embedded.
 *
 *     2 time_unix_nano      fixed64            17
 *     3 as_double           double             25
 *     4 span_id             bytes              34
 *     5 trace_id            bytes              42
 *     6 as_int              sfixed64           49
 *     7 filtered_attributes repeated KeyValue  58
 */
function readExemplar(c: Cursor): OtlpExemplar {
  const outer = open(c);
  const exemplar = { time: 0n, value: 0, traceId: '', spanId: '' };
  const attributes: Attribute[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 17:
        exemplar.time = fixed64(c);
        break;
      case 25:
        exemplar.value = double(c);
        break;
      case 34:
        exemplar.spanId = readId(c, 8, 'exemplar_id');
        break;
      case 42:
        exemplar.traceId = readId(c, 16, 'exemplar_id');
        break;
      case 49:
        exemplar.value = Number(BigInt.asIntN(64, fixed64(c)));
        break;
      case 58:
        attributes.push(readAttribute(c));
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  return { ...exemplar, attributes };
}

export function uint32(c: Cursor): number {
  return varint(c) >>> 0;
}
