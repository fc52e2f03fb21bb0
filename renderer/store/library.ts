import type { FileForm, ListedItem, Preview } from "../../contract/app.ts"
import { MAX_TITLE } from "../../contract/limits.ts"
import { modalities } from "../../contract/modality/index.ts"
import { download, fileName } from "../lib/bytes.ts"
import type { Contents } from "./contents.ts"
import type { Core } from "./core.ts"
import type { Drafts } from "./drafts.ts"
import { futuresOf, runOf } from "./works.ts"

/** Milliseconds between a letter typed into the search and the look into every text. */
const SEARCH_PAUSE = 150

/** What was made: shown, named, starred, searched, saved, deleted and brought back. */
export function createLibrary(core: Core, drafts: Drafts, contents: Contents) {
  const { get, set, ask, notify } = core
  const asked = new Set<string>()
  let searching: ReturnType<typeof setTimeout> | undefined
  /** What is shown again when a deleted item is back. */
  let reopen: string | undefined

  const read = (id: string) => {
    if (!get().contents.has(id)) void contents.read(id)
  }

  /** Futures that came to the run that is shown stand beside it. */
  const joinShown = (fresh: ListedItem[]) => {
    const { items, chosen, shown } = get()
    const item = chosen === undefined ? undefined : items.get(chosen)
    if (!item || !fresh.some((f) => runOf(f) === runOf(item) && !shown.includes(f.id))) return
    const all = futuresOf(items, item.id).map((f) => f.id)
    set({ shown: all })
    for (const id of all) if (items.get(id)?.status !== "running") read(id)
  }

  const actions = {
    /** Shows an item with the futures of its run; the settings stay as they are. */
    show(id: string): void {
      const { items, draft } = get()
      const item = items.get(id)
      if (!item) return
      if (draft.typed && draft.text.trim() && draft.parent?.id !== id)
        drafts.replaceDraft({ text: "", name: "", note: "" })
      drafts.setPack(item.settings.pack)
      const shown = futuresOf(items, id).map((f) => f.id)
      set({
        shown,
        chosen: id,
        view: "work",
        editing: false,
        patch: undefined,
        alternatives: undefined,
        surprise: item.scored ?? false,
      })
      for (const future of shown) read(future)
    },
    /** Another future of the run that is shown takes the document's place. */
    choose(id: string): void {
      if (get().shown.includes(id)) set({ chosen: id, editing: false, patch: undefined, alternatives: undefined })
    },
    /** Uses the settings that an item was made with, its seed too. */
    adoptSettings(id: string): void {
      const item = get().items.get(id)
      if (!item || !get().packs.some((p) => p.name === item.settings.pack)) return
      drafts.setPack(item.settings.pack)
      set({ settings: item.settings, fixedSeed: true })
      notify("info", "The settings of this one are in use, and its seed is locked.")
    },
    pickPatch: (patch: number | undefined) => set({ patch, alternatives: undefined }),
    setSurprise: (surprise: boolean) => set({ surprise }),

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
      if (open && next) actions.choose(next)
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
        set((s) => ({ previews: new Map([...s.previews, ...fresh.map((p) => [p.id, p] as const)]) }))
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
      joinShown(fresh)
      if (fresh.some(({ id }) => id === reopen)) {
        const id = reopen as string
        reopen = undefined
        actions.show(id)
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
  return actions
}
export type LibraryActions = ReturnType<typeof createLibrary>
