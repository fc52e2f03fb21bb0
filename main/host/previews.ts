import type { Item, Preview } from "../../contract/app.ts"
import type { Pack } from "../../contract/pack.ts"
import type { Library } from "./library.ts"
import { media } from "./media/index.ts"

/** What a row of the library shows of an item's contents; without its pack only what needs none of it. */
export function previewOf(library: Library, item: Item, pack: Pick<Pack, "modality" | "media"> | undefined): Preview {
  const { id, modality, given } = item
  const contents = () => library.read(id).bytes
  return { id, ...media[modality].preview({ contents, given, file: library.readFile(id), pack }) }
}
