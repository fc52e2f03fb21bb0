import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { canvasBytes, canvasOf, headerOf, Pack, soundOf, textOf } from "../../contract/pack.ts"
import { PackError } from "./error.ts"

/** The largest weights file that is opened; beyond it a pack cannot fit beside its compiled form. */
const MAX_WEIGHTS_BYTES = 8 * 2 ** 30

function joined(header: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(header.length + bytes.length)
  whole.set(header)
  whole.set(bytes, header.length)
  return whole
}

/** A whole document as the model reads it: its opening, or its style left open, and its bytes. For scoring. */
export function wholeDocument(pack: Pack, bytes: Uint8Array): { bytes: Uint8Array<ArrayBuffer>; header: number } {
  const header = headerOf(pack, 0, false)
  return { bytes: joined(header, bytes), header: header.length }
}

/** Bytes until a document of `length` bytes is complete; only a picture ever is. */
export function roomAfter(pack: Pack, length: number): number {
  const canvas = canvasOf(pack)
  return canvas ? canvasBytes(canvas) - length : Number.POSITIVE_INFINITY
}

/** What the engine gets for a document that begins with `given`, and how far it can go. */
export type Bounds = {
  prompt: Uint8Array<ArrayBuffer>
  /** Bytes of the prompt before the document itself: a text's opening, a style. */
  header: number
  /** Ends a variation: the document's end mark. */
  stopAt?: number
  /** Bytes until the document is complete. */
  room: number
}

/**
 * How a document that begins with `given` is put to this pack's model. Text: its opening goes first, where there is room
 * for it (without one, nothing given begins at the end mark, where a document begins), and a variation ends at the end
 * mark. Pictures and sounds: the style goes first, and a canvas has an end.
 */
export function documentBounds(pack: Pack, given: Uint8Array, style = 0): Bounds {
  const { context, patch } = pack.model
  const header = headerOf(pack, style, true)
  const room = roomAfter(pack, given.length)
  const over = Math.max(0, Math.ceil((header.length + given.length) / patch) - context)
  // The style stays in sight: of a long sound its end is taken, on the grid of whole patches.
  if (canvasOf(pack) ?? soundOf(pack))
    return { prompt: joined(header, given.subarray(over * patch)), header: header.length, room }
  const stopAt = textOf(pack)?.endOfDocument
  const begin = over ? new Uint8Array() : header
  const known = joined(begin, given)
  if (stopAt === undefined) return { prompt: known, header: begin.length, room }
  return { prompt: known.length ? known : Uint8Array.of(stopAt), header: begin.length, room, stopAt }
}

/** Reads and checks pack.json in `folder`. @throws PackError */
export function readPack(folder: string): Pack {
  const path = join(folder, "pack.json")
  if (!existsSync(path)) throw new PackError(`There is no model pack in ${folder} (no pack.json).`)
  let data: unknown
  try {
    data = JSON.parse(readFileSync(path, "utf8"))
  } catch {
    throw new PackError(`The pack description ${path} is damaged: it is not JSON.`)
  }
  const parsed = Pack.safeParse(data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const at = issue?.path.join(".")
    throw new PackError(`The pack description ${path} is not valid: ${at ? `${at}: ` : ""}${issue?.message}.`)
  }
  const weights = join(folder, "weights.safetensors")
  if (!existsSync(weights)) throw new PackError(`The pack ${folder} has no weights.safetensors.`)
  if (statSync(weights).size > MAX_WEIGHTS_BYTES)
    throw new PackError(`The weights ${weights} are too large (over 8 GiB).`)
  return parsed.data
}
