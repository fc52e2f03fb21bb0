import { modalities } from "../../contract/modality/index.ts"
import type { Library } from "./library.ts"

/** Items whose title or text has `query` in it, whatever its case. One that cannot be read is passed over. */
export function search(library: Library, query: string): string[] {
  const wanted = query.toLocaleLowerCase()
  const has = (text: string) => text.toLocaleLowerCase().includes(wanted)
  return library
    .list()
    .filter((item) => {
      if (has(item.title)) return true
      if (!modalities[item.modality].typed) return false
      try {
        return has(library.read(item.id).bytes.toString("utf8"))
      } catch {
        return false
      }
    })
    .map(({ id }) => id)
}
