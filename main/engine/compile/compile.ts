import { createHash } from "node:crypto"
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { attentionWidth, headWidth, type ModelConfig, type Precision } from "../../../contract/pack.ts"
import type { Mask } from "../../../contract/sampling.ts"
import { makeFolder } from "../../files/make-folder.ts"
import { systemReason } from "../../files/system-reason.ts"
import { toHalf } from "../float16.ts"
import type { Locate } from "../graph/builder.ts"
import { decodeGraph } from "../graph/decode-cpu.ts"
import { draftGraph, stepGraph } from "../graph/decode-drafts.ts"
import { unrolledGraph } from "../graph/decode-gpu.ts"
import { perChannel } from "../graph/names.ts"
import type { DataType, ExternalTensor, Graph } from "../graph/onnx.ts"
import { parallelGraph } from "../graph/parallel.ts"
import { blockOf, quantizeChannels } from "./quantize.ts"
import type { Weights } from "./weights.ts"

export const WEIGHTS_FILE = "weights.bin"
/** What lies where in it. */
const INDEX_FILE = "index.json"
/** The checksum of both. */
const SEAL_FILE = "seal.sha256"
/** A compiled model that was not opened for so long (milliseconds) is let go of. */
const KEPT = 30 * 24 * 3600 * 1000
/** Raise it when the graphs change in a way that this folder's sources do not show. */
const VERSION = 1

/** decode-LETTERS draws with top-p, top-k or min-p (p, k, m) or guided (g), decode without; draft and draft-LETTERS likewise. */
export type DecodeKind = "decode" | `decode-${string}` | "step" | "draft" | `draft-${string}`
export type GraphKind = DecodeKind | "prefill" | "score" | "logits"
/** The graphs for the CPU, and those for a GPU on the same weights. */
export type GraphName = GraphKind | `gpu-${GraphKind}`
export const isDecode = (kind: GraphKind): kind is DecodeKind => /^(decode|step|draft)/.test(kind)
const MASKS = ["p", "k", "m"] as const
const lettersOf = (kind: GraphKind) => kind.split("-")[1] ?? ""
const masksOfKind = (kind: GraphKind): Mask[] => MASKS.filter((mask) => lettersOf(kind).includes(mask))
/** Paths of the graphs, each made when first asked for; weights.bin lies beside them. */
export type Compiled = { folder: string; path: (graph: GraphName) => string }

/**
 * Prepares weights for a precision: matrices as [in, out] fp32 for MatMul, or as 8-bit blocks for MatMulNBits
 * and, for a CPU's decoding, per channel for DynamicQuantizeMatMul where the row length allows it; embedding tables and
 * vectors as fp32. In fp16, for a GPU, all of them as fp16.
 * Each is written as it is made, so that a large model never stands in memory twice. Returns what lies where.
 */
function prepare(
  weights: Weights,
  m: ModelConfig,
  names: Iterable<string>,
  precision: Precision,
  write: (bytes: Uint8Array) => void,
) {
  const index = new Map<string, ExternalTensor>()
  let offset = 0
  const add = (name: string, type: DataType, dims: number[], data: ArrayBufferView) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    index.set(name, { type, dims, offset, length: bytes.length })
    // Page-aligned, so that the runtime can map the file instead of reading it.
    const padding = (4096 - (bytes.length % 4096)) % 4096
    write(bytes)
    write(new Uint8Array(padding))
    offset += bytes.length + padding
  }
  /** fp32, or fp16 where all is. */
  const floats = (name: string, dims: number[], values: Float32Array) =>
    precision === "fp16" ? add(name, "float16", dims, toHalf(values)) : add(name, "float32", dims, values)
  const matrix = (name: string, from: string, rows: number, columns: number) => {
    const block = blockOf(columns)
    if (precision === "int8" && block && !isDrafted(m, name)) {
      const { q, scales } = weights.blocks(from, block)
      scaleQueries(m, from, scales, columns / block)
      const unsigned = new Uint8Array(rows * columns)
      for (let i = 0; i < unsigned.length; i++) unsigned[i] = (q[i] as number) + 128
      add(name, "uint8", [rows, columns / block, block], unsigned)
      add(`${name}.scale`, "float32", [rows, columns / block], scales.subarray(0, (rows * columns) / block))
      const channels = quantizeChannels(weights.floats(from).subarray(0, rows * columns), rows, columns)
      add(perChannel(name), "int8", [columns, rows], channels.q)
      add(`${perChannel(name)}.scale`, "float32", [rows], scaleQueries(m, from, channels.scales, 1))
    } else floats(name, [columns, rows], transpose(scaleQueries(m, from, weights.floats(from), columns), rows, columns))
  }
  for (const name of names) {
    const shape = weights.shape(name)
    const table = name.includes("embed") || name.endsWith("_position") || name.endsWith("_start.weight")
    if (shape.length === 2 && !table) matrix(name, name, shape[0] as number, shape[1] as number)
    else if (name === "ngram_embed.weight") {
      const [rows = 0, width = 0] = shape
      const withEmpty = new Float32Array((rows + 1) * width)
      withEmpty.set(weights.floats(name))
      floats(name, [rows + 1, width], withEmpty)
    } else floats(name, shape, scaleQueries(m, name, weights.floats(name), 1))
  }
  // The tied head is the local embedding without its padding row (paper, section 2.2.3).
  if (m.tied_head) matrix("head.weight", "local_embed.weight", 256, m.local.width)
  return index
}

/**
 * In the weights of queries (the first rows of qkv, `columns` numbers each), in place: the attention's scale of
 * 1 / sqrt(head width), so that no graph has a node for it.
 */
function scaleQueries(m: ModelConfig, name: string, values: Float32Array, columns: number): Float32Array {
  const [, prefix] = /^(global|local)_blocks\.\d+\.qkv\./.exec(name) ?? []
  if (!prefix) return values
  const stage = m[prefix as "global" | "local"]
  const scale = headWidth(stage) ** -0.5
  for (let i = 0; i < attentionWidth(stage) * columns; i++) values[i] = (values[i] as number) * scale
  return values
}

/**
 * Matrices of a local model that runs on drafts stay fp32: what is drawn at a place must not depend on the places after
 * it, as it would with one scale for all activations.
 */
const isDrafted = (m: ModelConfig, name: string) =>
  m.notes !== undefined && /^(local_blocks|head|notes_to_local)/.test(name)

function transpose(w: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(rows * columns)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = w[r * columns + c] as number
  return out
}

/**
 * Compiles a model into `cache`/KEY, where KEY hashes the weights, the configuration, the precision
 * and the version of the graphs. What is there already is used as it is; what was not opened for a month, as an update
 * leaves it behind, goes. In fp16 there are only graphs for a GPU.
 * @param load reads the weights; called only when there is something to compile
 */
export function compile(
  m: ModelConfig,
  weightsHash: string,
  precision: Precision,
  cache: string,
  load: () => { weights: Weights; names: Iterable<string> },
): Compiled {
  const key = createHash("sha256")
    .update(JSON.stringify([VERSION, sources(), weightsHash, m, precision]))
    .digest("hex")
  const folder = join(cache, key.slice(0, 24))
  if (isWhole(folder)) touch(join(folder, INDEX_FILE))
  else {
    const { weights, names } = load()
    // Written aside and renamed: another process never sees half of it.
    const temporary = `${folder}.${process.pid}.tmp`
    try {
      // What a crash or a failing disk left of it would be silent garbage.
      for (const left of [folder, temporary]) rmSync(left, { recursive: true, force: true })
      prune(cache)
      makeFolder(temporary)
      const file = openSync(join(temporary, WEIGHTS_FILE), "w")
      try {
        const hash = createHash("sha256")
        const index = prepare(weights, m, names, precision, (bytes) => {
          writeFileSync(file, bytes)
          hash.update(bytes)
        })
        fsyncSync(file)
        const json = JSON.stringify([...index])
        writeSafely(join(temporary, INDEX_FILE), json)
        writeSafely(join(temporary, SEAL_FILE), hash.update(json).digest("hex"))
      } finally {
        closeSync(file)
      }
      renameSync(temporary, folder)
    } catch (error) {
      discard(temporary)
      if (!isWhole(folder)) throw unkept(cache, error) // else another process was faster
    }
  }
  const path = (name: GraphName) => {
    const file = join(folder, `${name}.onnx`)
    const seal = `${file}.sha256`
    if (existsSync(file) && existsSync(seal) && readFileSync(seal, "utf8") === sealOf([file])) return file
    const temporary = `${file}.${process.pid}.tmp`
    const encoded = graph(name, m, precision, locator(folder)).encode()
    try {
      writeSafely(temporary, encoded)
      const sum = sealOf([temporary])
      renameSync(temporary, file)
      writeSafely(seal, sum)
    } catch (error) {
      discard(temporary)
      throw unkept(cache, error)
    }
    return file
  }
  return { folder, path }
}

/** Removes what was begun, where the disk lets it. */
function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {}
}

/** The cache does not take a compiled model. The message is one line for a person. */
export class CacheError extends Error {
  override name = "CacheError"
}

/** What a person is told of an error of the disk; any other error as it is. */
function unkept(cache: string, error: unknown): unknown {
  const reason = systemReason(error)
  const what = `The model cannot be made ready in ${cache}: ${reason}.`
  return reason ? new CacheError(`${what} Make room there, or set MEGABYTE_CACHE to another folder.`) : error
}

/** Writes a file through to the disk: a power cut must not leave its name on nothing. */
function writeSafely(path: string, data: string | Uint8Array): void {
  const file = openSync(path, "w")
  try {
    writeFileSync(file, data)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** The checksum of files, one after the other. */
function sealOf(files: string[]): string {
  const hash = createHash("sha256")
  const piece = Buffer.allocUnsafe(2 ** 20)
  for (const path of files) {
    const file = openSync(path, "r")
    try {
      for (let read = -1; read !== 0; ) {
        read = readSync(file, piece)
        hash.update(piece.subarray(0, read))
      }
    } finally {
      closeSync(file)
    }
  }
  return hash.digest("hex")
}

/** Whether a compiled folder is what was written into it. */
function isWhole(folder: string): boolean {
  try {
    const seal = readFileSync(join(folder, SEAL_FILE), "utf8")
    return seal === sealOf([join(folder, WEIGHTS_FILE), join(folder, INDEX_FILE)])
  } catch {
    return false // not there, or not all of it
  }
}

/** Notes that a file was opened now; one that cannot be changed is as good. */
function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date())
  } catch {}
}

/** Removes the compiled models of `cache` that were not opened for a month. */
function prune(cache: string): void {
  const found = existsSync(cache) ? readdirSync(cache, { withFileTypes: true }) : []
  for (const { name } of found.filter((entry) => entry.isDirectory())) {
    const opened = statSync(join(cache, name, INDEX_FILE), { throwIfNoEntry: false })?.mtimeMs
    if (opened === undefined || Date.now() - opened < KEPT) continue
    try {
      rmSync(join(cache, name), { recursive: true, force: true })
    } catch {} // another process may hold it; next time
  }
}

/** Finds the prepared tensors of a compiled folder. */
export function locator(folder: string): Locate {
  const index = new Map<string, ExternalTensor>(JSON.parse(readFileSync(join(folder, INDEX_FILE), "utf8")))
  return (name) => {
    const found = index.get(name)
    if (!found) throw new Error(`no prepared tensor ${name}`)
    return found
  }
}

function graph(name: GraphName, model: ModelConfig, precision: Precision, locate: Locate): Graph {
  const source = { model, precision, locate, file: WEIGHTS_FILE }
  const gpu = name.startsWith("gpu-")
  const kind = name.replace("gpu-", "") as GraphKind
  if (kind === "step") return stepGraph(source)
  if (kind.startsWith("draft")) return draftGraph(source, masksOfKind(kind))
  if (isDecode(kind))
    return (gpu ? unrolledGraph : decodeGraph)(source, masksOfKind(kind), lettersOf(kind).includes("g"))
  return parallelGraph(source, { score: kind !== "prefill", logits: kind === "logits" }, gpu)
}

/** The sources that make a graph are part of the key, so that a change to one is never missed while developing. */
function sources(): string {
  const hash = createHash("sha256")
  const files = ["../graph", "../features", "."].flatMap((folder) => {
    const path = fileURLToPath(new URL(folder, import.meta.url))
    return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []
  })
  const shared = ["../../../contract/samples.ts", "../../../contract/constants.json", "../float16.ts"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  for (const file of [...files, ...shared])
    if (/(?<!\.test|\.d)\.(ts|json)$/.test(file) && existsSync(file)) hash.update(readFileSync(file))
  return hash.digest("hex")
}
