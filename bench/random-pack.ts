import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ModelConfig, Stage } from "../contract/pack.ts"
import { blockOf } from "../main/engine/compile/quantize.ts"
import { expectedShapes } from "../main/engine/compile/weights.ts"
import { defaultPaths, findPack } from "../main/host/packs/find.ts"
import { elementsOf } from "../main/packs/safetensors.ts"

const stage = (width: number, layers: number, heads: number, kv_heads: number): Stage => ({
  width,
  layers,
  heads,
  kv_heads,
  ff: Math.ceil((width * 8) / 3 / 64) * 64,
})

const modern = {
  norm: "rmsnorm",
  feed_forward: "swiglu",
  position: "rotary",
  global_to_local: "full",
  tied_head: false,
  bias: false,
} as const

/** Patches of 8 bytes and a context of 8 kB. */
const sized = (global: Stage, local: Stage): ModelConfig => ({
  patch: 8,
  global,
  local,
  context: 1024,
  window: 1024,
  ...modern,
})

/** A plain transformer over bytes: patches of one byte, and a local model of no layers, which is the head alone. */
const byteTransformer = (layers: Stage): ModelConfig => ({
  patch: 1,
  global: layers,
  local: { ...layers, layers: 0 },
  context: 8192,
  window: 8192,
  ...modern,
})

/** Named sizes, with random weights: speed does not depend on what a model has learned. */
export const configurations: Record<string, ModelConfig> = {
  tiny: { patch: 4, global: stage(64, 2, 4, 2), local: stage(32, 2, 2, 1), context: 64, window: 32, ...modern },
  // As the text pack: half words a patch, n-grams, and what followed the same bytes before.
  story: {
    patch: 4,
    global: { ...stage(512, 6, 8, 2), ff: 1344 },
    local: { ...stage(384, 2, 6, 2), ff: 1024 },
    context: 512,
    window: 0,
    ...modern,
    ngrams: { orders: [2, 3, 4, 5, 6], rows: 8192, width: 64, patch_embedder: true },
    lookback: { offsets: [], width: 64, predictions: [], lpc: [], matches: [{ window: 2048, unit: 1 }] },
  },
  // A context of 1,048,576 bytes, and a plain transformer over bytes that is narrower than its global model.
  million: { patch: 64, global: stage(384, 6, 6, 2), local: stage(128, 2, 4, 1), context: 16384, window: 0, ...modern },
  "plain-bytes": {
    patch: 1,
    global: stage(256, 6, 4, 1),
    local: stage(32, 0, 1, 1),
    context: 65536,
    window: 0,
    ...modern,
  },
  large: sized(stage(768, 12, 12, 2), stage(384, 6, 6, 2)),
  // Every head has keys and values of its own, as in the paper: six times the cache.
  "large-mha": sized(stage(768, 12, 12, 12), stage(384, 6, 6, 6)),
  medium: sized(stage(1024, 24, 16, 16), stage(768, 12, 12, 12)),
  // The size at which MEGABYTE-pytorch is timed.
  peer: sized(stage(512, 8, 8, 8), stage(384, 4, 6, 6)),
  // The sizes that the paper timed, 1.3B and 218M beside 350M; then half as wide and half as deep, an eighth of each.
  paper: sized(stage(2048, 24, 32, 32), stage(1024, 15, 16, 16)),
  transformer: byteTransformer(stage(1024, 24, 16, 16)),
  "paper-eighth": sized(stage(1024, 12, 16, 16), stage(512, 8, 8, 8)),
  "transformer-eighth": byteTransformer(stage(512, 12, 8, 8)),
}

/** Where the benchmarks keep compiled graphs and random packs. */
export const cache = join(tmpdir(), "megabyte-bench")

/** The folder of a shipped pack or of a configuration with random weights. */
export const benchPack = (name: string) =>
  name in configurations
    ? randomPack(name, configurations[name] as ModelConfig, join(cache, "packs"))
    : findPack(name, defaultPaths())

/** Writes a pack of random 8-bit weights into `root`/NAME, once, and returns its folder. */
export function randomPack(name: string, model: ModelConfig, root: string): string {
  const folder = join(root, name)
  if (existsSync(join(folder, "pack.json"))) return folder
  mkdirSync(folder, { recursive: true })
  const header: Record<string, unknown> = {}
  const parts: Uint8Array[] = []
  let offset = 0
  let parameters = 0
  const add = (key: string, dtype: string, shape: number[], data: ArrayBufferView) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    header[key] = { dtype, shape, data_offsets: [offset, offset + bytes.length] }
    offset += bytes.length
    parts.push(bytes)
  }
  let state = 1
  const block = Uint8Array.from({ length: 2 ** 20 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
  /** Random bytes: the same million over and over. */
  const random = (count: number) => {
    const bytes = new Uint8Array(count)
    for (let at = 0; at < count; at += block.length) bytes.set(block.subarray(0, count - at), at)
    return bytes
  }
  for (const [key, shape] of expectedShapes(model)) {
    const [rows = 0, columns = 0] = shape
    const perScale = blockOf(columns)
    const count = elementsOf(shape)
    parameters += count
    if (shape.length === 1) add(key, "F32", shape, new Float32Array(count).fill(1))
    else if (!perScale)
      add(
        key,
        "F32",
        shape,
        Float32Array.from(random(count), (x) => (x - 127.5) / 3000),
      )
    else {
      add(key, "I8", shape, random(count))
      // fp16 0x0d00 is about 3e-4: weights of about 0.02, as after initialisation.
      add(`${key}.scale`, "F16", [rows, columns / perScale], new Uint16Array(count / perScale).fill(0x0d00))
    }
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const file = openSync(join(folder, "weights.safetensors"), "w")
  for (const part of [length, json, ...parts]) writeFileSync(file, part)
  closeSync(file)
  const pack = {
    format: 1,
    name: `random-${name}`,
    title: `Random weights, ${name}`,
    version: "1",
    license: "CC0-1.0",
    modality: "bytes",
    media: {},
    data: "none: random weights",
    model,
    storage: "int8",
    parameters,
    heldOut: { bitsPerByte: 8, files: {} },
    training: {},
  }
  writeFileSync(join(folder, "pack.json"), JSON.stringify(pack))
  return folder
}
