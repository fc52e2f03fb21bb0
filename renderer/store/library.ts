import type { FileForm, ListedItem, Preview } from "../../contract/app.ts"
import { MAX_TITLE } from "../../contract/limits.ts"
import { modalities } from "../../contract/modality/index.ts"
import { dataAddress, download, fileName } from "../lib/bytes.ts"
import type { Core } from "./core.ts"
import type { Showing } from "./showing.ts"
import type { ShownPreview } from "./state.ts"

/** Milliseconds between a letter typed into the search and the look into every text. */
const SEARCH_PAUSE = 150

/** What was made: named, starred, searched, saved, deleted and brought back. */
export function createLibrary(core: Core, showing: Showing) {
  const { get, set, ask, notify } = core
  const asked = new Set<string>()
  let searching: ReturnType<typeof setTimeout> | undefined
  /** What is shown again when a deleted item is back. */
  let reopen: string | undefined

  return {
    rename: (id: string, title: string) =>
      title.trim() && ask("rename", { id, title: title.trim().slice(0, MAX_TITLE) }),
    favourite: (id: string, on: boolean) => ask("favourite", { id, on }),
    /** Deletes items; undo brings them back, and into the document what was there. */
    remove(ids: string[]): void {
      const { items, chosen, shown } = get()
      const [first] = ids.map((id) => items.get(id)?.title)
      const open = chosen && ids.includes(chosen) ? chosen : undefined
      const next = shown.find((id) => !ids.includes(id))
      void ask("delete", { ids })
      if (open && next) showing.choose(next)
      const what = ids.length === 1 ? `“${first}” was deleted.` : `${ids.length} versions were deleted.`
      const undo = () => {
        reopen = open
        void ask("undelete", { ids })
      }
      notify("info", what, undo, 12)
    },

    setSearch(search: string): void {
      set({ search, found: undefined })
      clearTimeout(searching)
      const query = search.trim()
      const found = (ids: string[]) => query === get().search.trim() && set({ found: new Set(ids) })
      if (query) searching = setTimeout(() => ask("search", { query }, found), SEARCH_PAUSE)
    },
    /** Asks for what the rows in sight show of their contents. */
    wantPreviews(ids: string[]): void {
      const { previews, items } = get()
      const wanted = ids.filter((id) => items.has(id) && !previews.has(id) && !asked.has(id)).slice(0, 100)
      if (!wanted.length) return
      for (const id of wanted) asked.add(id)
      const take = (fresh: Preview[]) =>
        set((s) => ({ previews: new Map([...s.previews, ...fresh.map((p) => [p.id, shownPreview(p)] as const)]) }))
      void ask("preview", { ids: wanted }, take).finally(() => {
        for (const id of wanted) asked.delete(id)
      })
    },

    /** Items as the host tells of them, one or many. */
    take(fresh: ListedItem[]): void {
      set((s) => {
        const items = new Map(s.items)
        const previews = new Map(s.previews)
        for (const item of fresh) {
          items.set(item.id, item)
          if (item.status !== "running") previews.delete(item.id)
        }
        return { items, ...(s.previews.size ? { previews } : {}) }
      })
      showing.join(fresh)
      if (fresh.some(({ id }) => id === reopen)) {
        const id = reopen as string
        reopen = undefined
        showing.show(id)
      }
    },
    gone(id: string): void {
      set((s) => {
        const items = new Map(s.items)
        items.delete(id)
        s.contents.delete(id)
        const shown = s.shown.filter((other) => other !== id)
        const chosen = s.chosen === id ? shown[0] : s.chosen
        const empty = s.view === "work" && s.shown.length > 0 && shown.length === 0
        return { items, shown, chosen, ...(empty ? { view: "home" as const, editing: false } : {}) }
      })
    },

    /** Saves an item as a file: in the form that is asked for, or as its ordinary file. */
    save(id: string, form?: FileForm): void {
      const item = get().items.get(id)
      const [usual] = Object.keys(item ? modalities[item.modality].forms : {})
      const wanted = form ?? usual
      if (wanted)
        void ask("export", { id, form: wanted }, ({ title, extension, mime, bytes }) =>
          download(fileName(title, extension), mime, bytes),
        )
    },
  }
}
const shownPreview = ({ image, ...preview }: Preview): ShownPreview =>
  image ? { ...preview, image: dataAddress("image/png", image) } : preview

export type LibraryActions = ReturnType<typeof createLibrary>
