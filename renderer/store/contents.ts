import type { Content as ReadContent } from "../../contract/window.ts"
import { Content } from "../lib/content.ts"
import type { Core } from "./core.ts"
import { isTyped } from "./packs.ts"

/** The contents of the items that are shown. */
export function createContents({ get, set, ask }: Core) {
  const contents = {
    /** An item's content, with nothing in it yet. */
    empty: (id: string) => new Content(isTyped(get().items.get(id)?.modality ?? "text")),
    take({ id, bytes, bits }: ReadContent): void {
      const content = contents.empty(id)
      content.append(bytes, bits)
      get().contents.set(id, content)
      set((s) => ({ version: s.version + 1 }))
    },
    /** Asks for all of an item's content. */
    read: (id: string) => ask("read", { id }, contents.take),
  }
  return contents
}
export type Contents = ReturnType<typeof createContents>
