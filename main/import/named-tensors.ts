import { Inert } from "./pickle.ts"
import { Tensor } from "./tensor.ts"

/** How deep values are looked into for tensors. */
const DEEPEST = 32
const MOST_VALUES = 1_000_000
const MOST_MODULES = 100_000

/** Tensors by their names, and the module that they are the parameters of, where one was saved whole. */
export type Named = { tensors: Map<string, Tensor>; module?: Inert }

/** All that could be a model's weights in a checkpoint's value: the outermost first. */
export function namedTensors(value: unknown): Named[] {
  const found: Named[] = []
  const seen = new Set<unknown>()
  let level = [value]
  for (let depth = 0; depth < DEEPEST && level.length && seen.size < MOST_VALUES; depth++) {
    const next: unknown[] = []
    for (const item of level) {
      if (typeof item !== "object" || item === null || seen.has(item)) continue
      seen.add(item)
      const map = attributesOf(item)
      if (item instanceof Inert && map?.get("_modules") instanceof Map) {
        found.push({ tensors: ofModule(item), module: item })
        continue
      }
      const tensors = new Map<string, Tensor>()
      for (const [key, held] of map ?? []) if (typeof key === "string" && held instanceof Tensor) tensors.set(key, held)
      if (tensors.size) found.push({ tensors })
      for (const held of map?.values() ?? (Array.isArray(item) ? item : [])) next.push(held)
    }
    level = next
  }
  return found
}

/** What a dictionary or an object's own dictionary holds. */
export function attributesOf(item: unknown): Map<unknown, unknown> | undefined {
  if (item instanceof Map) return item
  return item instanceof Inert && item.state instanceof Map ? item.state : undefined
}

/** Parameters and buffers of a module that was saved whole, named as its state_dict names them. */
function ofModule(module: Inert): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>()
  let visits = 0 // not more than there can be modules: one that holds itself twice would go on doubling
  const walk = (item: unknown, prefix: string, depth: number) => {
    const own = attributesOf(item)
    if (!own || depth > DEEPEST || ++visits > MOST_MODULES) return
    for (const kind of ["_parameters", "_buffers"])
      for (const [key, held] of attributesOf(own.get(kind)) ?? [])
        if (held instanceof Tensor) tensors.set(`${prefix}${key}`, held)
    for (const [key, held] of attributesOf(own.get("_modules")) ?? []) walk(held, `${prefix}${key}.`, depth + 1)
  }
  walk(module, "", 0)
  return tensors
}
