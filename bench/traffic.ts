import type { ModelConfig, Precision } from "../contract/pack.ts"
import { blockOf } from "../main/engine/compile/quantize.ts"
import { expectedShapes } from "../main/engine/compile/weights.ts"

/** Bytes of weights that one decoded patch reads, each local matrix P times; rows of tables are next to nothing. */
export function weightBytesPerPatch(m: ModelConfig, precision: Precision): number {
  let total = 0
  for (const [key, shape] of expectedShapes(m)) {
    if (shape.length < 2 || key.includes("embed") || key.includes("position")) continue
    const [rows = 0, columns = 0] = shape
    // In 8 bits a row has one scale (Builder.linear).
    const bytes = precision === "int8" && blockOf(columns) ? rows * (columns + 4) : rows * columns * 4
    const once = key.startsWith("global_") || (key.startsWith("to_local") && m.global_to_local === "full")
    total += bytes * (once ? 1 : m.patch)
  }
  return total
}

/** Bytes of keys and values that one decoded patch reads after `past` patches. */
export const cacheBytesPerPatch = ({ global: g }: ModelConfig, past: number) =>
  2 * g.layers * past * g.kv_heads * (g.width / g.heads) * 4
