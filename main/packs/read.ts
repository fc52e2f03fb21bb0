import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { canvasOf, Pack } from "../../contract/pack.ts"
import { PackError } from "../../native-models/graph/safetensors.ts"

/** The largest weights file that is opened; beyond it a pack cannot fit beside its compiled form. */
const MAX_WEIGHTS_BYTES = 8 * 2 ** 30

/** What the engine gets for a document that begins with `given`, and how far it can go. */
export type Bounds = {
  prompt: Uint8Array<ArrayBuffer>
  /** Bytes of the prompt before the document itself: the style. */
  header: number
  /** Ends a variation: the document's end mark. */
  stopAt?: number
  /** Bytes until the document is complete. */
  room: number
}

/**
 * How a document that begins with `given` is put to this pack's model. Text: nothing given begins where a document
 * begins, and a variation ends at its end mark, where the pack has one. Pictures: the style goes first, and the
 * canvas has an end.
 */
export function documentBounds(pack: Pack, given: Uint8Array, style = 0): Bounds {
  const canvas = canvasOf(pack)
  if (canvas) {
    const prompt = new Uint8Array(canvas.header + given.length).fill(style, 0, canvas.header)
    prompt.set(given, canvas.header)
    return { prompt, header: canvas.header, room: canvas.width * canvas.height * 3 - given.length }
  }
  const end = pack.media.endOfDocument
  const open = { header: 0, room: Number.POSITIVE_INFINITY }
  if (typeof end !== "number") return { prompt: Uint8Array.from(given), ...open }
  return { prompt: given.length ? Uint8Array.from(given) : Uint8Array.of(end), stopAt: end, ...open }
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
