import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { Pack } from "../../contract/pack.ts"
import { PackError } from "../../native-models/graph/safetensors.ts"

/** The largest weights file that is opened; beyond it a pack cannot fit beside its compiled form. */
const MAX_WEIGHTS_BYTES = 8 * 2 ** 30

/**
 * How a generation after `given` begins and ends with this pack: nothing given begins where a document begins, and a
 * variation ends at the document's end, where the pack has such a mark.
 */
export function documentBounds(pack: Pack, given: Uint8Array): { prompt: Uint8Array<ArrayBuffer>; stopAt?: number } {
  const end = pack.media.endOfDocument
  if (typeof end !== "number") return { prompt: Uint8Array.from(given) }
  return { prompt: given.length ? Uint8Array.from(given) : Uint8Array.of(end), stopAt: end }
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
