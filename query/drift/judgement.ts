import type { Direction } from '../statistics/change-point.ts';

export type EffectUnit =
  | 'percentage_points'
  | 'ratio'
  | 'js_distance'
  | 'probability_current_greater';

export type ValueUnit = 'ratio' | 'usd' | 'tokens' | 'ms' | 'steps';

/** What the statistics say of one signal, before it is known how many others were looked at. */
export interface Judgement {
  readonly n_reference: number;
  readonly n_current: number;
  readonly reference_value: number | null;
  readonly current_value: number | null;
  readonly value_unit: ValueUnit | null;
  readonly effect: number | null;
  readonly effect_low: number | null;
  readonly effect_high: number | null;
  readonly effect_unit: EffectUnit;
  readonly p: number | null;
  /** Tasks per window from which a difference worth an alert would be found. */
  readonly floor: number;
  /** In the unit of the effect: what these windows would have found. */
  readonly minimum_detectable_effect: number | null;
  /** Both windows are constant: no test applies, the effect alone decides. */
  readonly degenerate: boolean;
  readonly direction: Direction;
  /** Further figures of the signal, by name. */
  readonly detail: Readonly<Record<string, unknown>>;
}
