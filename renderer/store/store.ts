import { createStore } from "zustand/vanilla"
import type {
  AppEvent,
  Command,
  DeviceReport,
  FileForm,
  ListedItem,
  PackSummary,
  Preferences,
  Settings,
} from "../../contract/app.ts"
import { isWithinWord, type LengthUnit, lengthIn } from "../../contract/characters.ts"
import { LARGEST_FILE, PACK_FILES, tooLarge, UPLOAD_PIECE } from "../../contract/files.ts"
import { type Device, rowBytes, secondBytes } from "../../contract/pack.ts"
import { defaultSampling, presetsOf } from "../../contract/sampling.ts"
import { download, fileName, fromBase64, toBase64 } from "../lib/bytes.ts"
import { Content } from "../lib/content.ts"

type Phase = Extract<AppEvent, { type: "phase" }>["phase"]

/** What is being written: for the progress line. */
export type Run = {
  ids: string[]
  total: number
  unit: LengthUnit
  phase: Phase
  began: number
  firstPatch: number | undefined
  bytes: number
  /** How much of `total` there is, and how much of that there was when this window heard of it. */
  made: number
  before: number
  /** The host has not answered yet. */
  asked: boolean
}
const begun = (run: Pick<Run, "ids" | "total" | "made" | "unit" | "asked">): Run => {
  return { ...run, before: run.made, phase: "loading", began: performance.now(), firstPatch: undefined, bytes: 0 }
}
/** What the next generation goes on from: a text, or the first bytes of a picture or a sound. */
export type Draft = {
  text: string
  media?: { bytes: Uint8Array; kept: number }
  name: string
  note: string
  parent?: { id: string; at: number }
  /** The text as it was made here: unless it is changed, its last word is not the person's. */
  made?: string
  /** Written by the person and in no item yet. */
  typed?: boolean
}
export type Notice = {
  key: number
  kind: "info" | "problem"
  text: string
  undo?: () => void
  /** What "Copy details" copies. */
  details?: string
}

export type State = {
  connected: boolean
  packs: PackSummary[]
  items: Map<string, ListedItem>
  folder: string
  preferences: Preferences
  /** Whether models and preferences are shown in place of the work. */
  /** What runs here; undefined until it is asked for. */
  devices: DeviceReport[] | undefined
  /** What the last run was on. */
  ranOn: Device | undefined
  managing: boolean
  /** Items shown side by side; none: the draft is shown. */
  shown: string[]
  /** Contents by item, and a number that grows with every change to any of them. */
  contents: Map<string, Content>
  version: number
  run: Run | undefined
  /** Name of the file that is being read. */
  opening: string | undefined
  draft: Draft
  settings: Settings
  /** A new seed for every generation, or the one that is set. */
  fixedSeed: boolean
  notices: Notice[]
  search: string
  heat: boolean
}

/** The styles of a pack, and the number of the one that something new has where none was chosen. */
export function stylesOf(pack: PackSummary | undefined): { styles: string[]; defaultStyle: number } {
  const { styles = [], defaultStyle = 0 } = pack?.canvas ?? pack?.sound ?? pack?.text ?? {}
  return { styles, defaultStyle }
}

/** What a person counts a pack's length in. */
export function unitOf({ canvas, sound, modality }: PackSummary): { name: string; bytes: number; most: number } {
  if (canvas) return { name: "rows at most", bytes: rowBytes(canvas), most: canvas.height }
  if (sound) return { name: "seconds", bytes: secondBytes(sound), most: 3600 }
  return { name: modality === "text" ? "characters" : "bytes", bytes: 1, most: 1_000_000 }
}

/** Bytes that a new generation makes where nothing else is said: a whole picture, four seconds, some lines of text. */
function usualLength(pack: PackSummary): number {
  const { bytes } = unitOf(pack)
  return pack.canvas ? pack.canvas.height * bytes : pack.sound ? 4 * bytes : 600
}

/** Whether bytes are a picture's or a sound's. */
const isMedia = (modality: PackSummary["modality"] | undefined) => modality === "image" || modality === "audio"

const ownText = (text: string) => ({ text })
const madeText = (text: string) => ({ text, made: text })
const emptyDraft: Draft = { text: "", name: "", note: "" }
const newSeed = () => Math.floor(Math.random() * 2 ** 32)

/** The window's state and everything a person can do to it. `send` hands a command to the host. */
export function createStudio(send: (command: Command) => void) {
  const store = createStore<State>(() => ({
    connected: false,
    packs: [],
    items: new Map(),
    folder: "",
    preferences: { pack: "text", threads: 0, device: "auto", library: "" },
    devices: undefined,
    ranOn: undefined,
    managing: false,
    shown: [],
    contents: new Map(),
    version: 0,
    run: undefined,
    opening: undefined,
    draft: emptyDraft,
    settings: { pack: "text", length: 600, seed: newSeed(), variations: 1, sampling: defaultSampling, style: 0 },
    fixedSeed: false,
    notices: [],
    search: "",
    heat: false,
  }))
  const { getState: get, setState: set } = store
  let noticeKey = 0
  /** Uploads that wait for the host's answer to their last piece: whether it is kept. */
  const waiting = new Map<string, (kept: boolean) => void>()

  const notify = (
    kind: Notice["kind"],
    text: string,
    undo?: () => void,
    seconds = kind === "info" ? 8 : Number.POSITIVE_INFINITY,
    details?: string,
  ) => {
    const notice: Notice = { key: noticeKey++, kind, text, ...(undo ? { undo } : {}), ...(details ? { details } : {}) }
    set((s) => ({ notices: [...s.notices.slice(-2), notice] }))
    // Good news goes by itself; a problem stays until it is dismissed.
    if (Number.isFinite(seconds)) setTimeout(() => actions.dismiss(notice.key), 1000 * seconds)
  }
  /** Another draft; what the person had written can be brought back. */
  const replaceDraft = (draft: Draft) => {
    const { draft: before, settings } = get()
    set({ draft })
    if (!before.typed || !before.text.trim()) return
    const bringBack = () => {
      actions.setPack(settings.pack)
      replaceDraft(before)
      set({ shown: [], managing: false })
    }
    notify("info", "The text that you had begun was put away.", bringBack, Number.POSITIVE_INFINITY)
  }
  /**
   * Hands a file to the host as `name`, piece by piece, each when the one before has been taken; false where one could
   * not be kept or the connection was lost, which has been told.
   */
  const upload = async (file: File, name: string): Promise<boolean> => {
    for (let offset = 0; offset === 0 || offset < file.size; offset += UPLOAD_PIECE) {
      const piece = toBase64(new Uint8Array(await file.slice(offset, offset + UPLOAD_PIECE).arrayBuffer()))
      const answer = new Promise<boolean>((resolve) => waiting.set(name, resolve))
      send({ type: "upload", file: name, offset, bytes: piece })
      const kept = await answer
      waiting.delete(name)
      if (!kept) return false
    }
    return true
  }
  const withItem = (item: ListedItem) => set((s) => ({ items: new Map(s.items).set(item.id, item) }))
  /** The packs there are; another one is chosen where the chosen one has gone. */
  const withPacks = (packs: PackSummary[]) => {
    set({ packs })
    const first = packs.find((p) => !p.problem)
    if (!packOf(get()) && first) actions.setPack(first.name)
  }
  const contentOf = (id: string) => new Content(!isMedia(get().items.get(id)?.modality))
  const content = (id: string) => {
    let c = get().contents.get(id)
    if (!c) {
      c = contentOf(id)
      get().contents.set(id, c)
    }
    return c
  }
  /** What is being written goes to the host soon after, so that a crash or a closed window costs nothing. */
  let kept = ""
  let keeping: ReturnType<typeof setTimeout> | undefined
  store.subscribe(({ draft }) => {
    const text = draft.typed ? draft.text : ""
    if (text === kept) return
    kept = text
    clearTimeout(keeping)
    keeping = setTimeout(() => send({ type: "draft", text }), 300)
  })
  const touch = () => set((s) => ({ version: s.version + 1 }))

  /** Takes one event from the host. */
  function receive(event: AppEvent): void {
    switch (event.type) {
      case "state": {
        const { packs, folder, preferences } = event
        const begins = !get().packs.length
        set({
          connected: true,
          run: undefined,
          folder,
          preferences,
          items: new Map(event.items.map((i) => [i.id, i])),
        })
        withPacks(packs)
        if (begins) actions.setPack(preferences.pack)
        if (begins && event.draft) {
          const text = packs.find((p) => p.modality === "text" && !p.problem)
          if (text && packOf(get())?.modality !== "text") actions.setPack(text.name)
          actions.setDraft({ text: event.draft })
        }
        // After a lost connection what was shown may have gaps: it is read again.
        get().contents.clear()
        for (const id of get().shown) send({ type: "read", id })
        break
      }
      case "packs":
        withPacks(event.packs)
        break
      case "item":
        withItem(event.item)
        break
      case "gone":
        set((s) => {
          const items = new Map(s.items)
          items.delete(event.id)
          return { items, shown: s.shown.filter((id) => id !== event.id) }
        })
        break
      case "run": {
        const { ids, total, made, unit } = event
        set({
          run: begun({ ids, total, made, unit, asked: false }),
          ...(ids.length ? { shown: ids, managing: false } : {}),
        })
        for (const id of ids) if (!get().contents.has(id)) send({ type: "read", id })
        break
      }
      case "phase":
        set((s) => ({ run: s.run && { ...s.run, phase: event.phase }, ranOn: event.device ?? s.ranOn }))
        break
      case "devices":
        set({ devices: event.devices })
        break
      case "patches": {
        const { run } = get()
        let [bytes, made] = [0, 0]
        for (const part of event.parts) {
          const fresh = fromBase64(part.bytes)
          bytes = Math.max(bytes, fresh.length)
          made = Math.max(made, lengthIn(run?.unit ?? "bytes", fresh))
          if (get().contents.has(part.id)) content(part.id).append(fresh, part.bits)
        }
        set((s) => ({
          version: s.version + 1,
          run: s.run && {
            ...s.run,
            bytes: s.run.bytes + bytes,
            made: s.run.made + made,
            firstPatch: s.run.firstPatch ?? performance.now() - s.run.began,
          },
        }))
        break
      }
      case "finished":
        set({ run: undefined })
        break
      case "content": {
        const whole = contentOf(event.id)
        whole.append(fromBase64(event.bytes), event.bits)
        get().contents.set(event.id, whole)
        touch()
        break
      }
      case "taken":
        waiting.get(event.file)?.(event.kept)
        break
      case "opened": {
        const bytes = fromBase64(event.bytes)
        const { name, note, settings } = event
        set({ opening: undefined })
        actions.setPack(event.pack)
        if (settings) {
          set((s) => ({ settings: { ...settings, pack: s.settings.pack }, fixedSeed: true }))
          notify("info", "It was made here: its settings are restored, and its seed is held.")
        }
        const canvas = get().packs.find((p) => p.name === event.pack)?.canvas
        const kept = canvas ? Math.floor(canvas.height / 2) * rowBytes(canvas) : bytes.length
        replaceDraft(
          isMedia(event.modality)
            ? { ...emptyDraft, name, note, media: { bytes, kept } }
            : { ...emptyDraft, name, note, ...(settings ? madeText : ownText)(new TextDecoder().decode(bytes)) },
        )
        set({ shown: [], managing: false })
        break
      }
      case "exported":
        download(fileName(event.title, event.extension), event.mime, fromBase64(event.bytes))
        break
      case "notice":
        if (event.kind === "problem") {
          set({ opening: undefined })
          // What was asked for is refused: the draft is in no item.
          if (get().run?.asked) set((s) => ({ run: undefined, draft: { ...s.draft, typed: s.draft.text !== "" } }))
        }
        notify(event.kind, event.text, undefined, undefined, event.details)
        break
    }
  }

  /** Sends what begins a run; until the host answers nothing else can be begun. */
  const ask = (command: Command) => {
    set({ run: begun({ ids: [], total: 0, made: 0, unit: "bytes", asked: true }) })
    send(command)
  }

  /** The canonical bytes of the draft, up to `caret`, the chosen row or the chosen time. */
  const given = (caret?: number): Uint8Array => {
    const { draft } = get()
    if (isMedia(packOf(get())?.modality)) return draft.media?.bytes.subarray(0, draft.media.kept) ?? new Uint8Array()
    return new TextEncoder().encode(caret === undefined ? draft.text : draft.text.slice(0, caret))
  }

  /** Settings for a new generation: a fresh seed unless it is held. */
  const nextSettings = (): Settings => {
    const { settings, fixedSeed } = get()
    const next = fixedSeed ? settings : { ...settings, seed: newSeed() }
    set({ settings: next })
    return next
  }

  const actions = {
    receive,
    notify,
    disconnected(): void {
      const { opening } = get()
      set({ connected: false, opening: undefined })
      if (opening) notify("problem", `${opening} was not read, as the connection was lost; drop it again.`)
      else if (waiting.size) notify("problem", "The pack was not imported, as the connection was lost; drop it again.")
      for (const answer of waiting.values()) answer(false)
    },
    dismiss: (key: number) => set((s) => ({ notices: s.notices.filter((n) => n.key !== key) })),
    setDraft(change: Partial<Draft>): void {
      const typed = change.text !== undefined
      set((s) => ({ draft: { ...s.draft, ...change, ...(typed ? { typed } : {}) } }))
    },
    setSettings: (change: Partial<Settings>) => set((s) => ({ settings: { ...s.settings, ...change } })),
    /** Another pack, with the length and the sampling that suit it; what was drafted for another kind is put away. */
    setPack(name: string): void {
      const { packs, settings } = get()
      const pack = packs.find((p) => p.name === name)
      const before = packOf(get())
      if (!pack || settings.pack === name) return
      const otherKind = pack.modality !== before?.modality || isMedia(pack.modality)
      if (otherKind) replaceDraft(emptyDraft)
      const { defaultStyle: style } = stylesOf(pack)
      set({ settings: { ...settings, pack: name, sampling: presetsOf(pack).default, style, untilEnd: false } })
      if (otherKind) actions.setSettings({ length: usualLength(pack) })
    },
    manage: (managing: boolean) => set({ managing }),
    tryDevices(): void {
      set({ devices: undefined })
      send({ type: "devices" })
    },
    prefer: (change: Partial<Preferences>) =>
      send({ type: "prefer", preferences: { ...get().preferences, ...change } }),
    removePack: (name: string) => send({ type: "removePack", name }),
    setSearch: (search: string) => set({ search }),
    setHeat: (heat: boolean) => set({ heat }),
    holdSeed: (fixedSeed: boolean) => set({ fixedSeed }),

    /** Generates after the draft, up to `caret` where one is given. */
    generate(caret?: number): void {
      if (get().run) return
      const { draft } = get()
      // From the cursor on, what comes after it is in no item.
      if (caret === undefined) set({ draft: { ...draft, typed: false } })
      const withinWord = caret !== undefined && isWithinWord(draft.text.slice(0, caret), draft.text.slice(caret))
      ask({
        type: "generate",
        settings: { ...nextSettings(), withinWord: withinWord || draft.text === draft.made },
        given: toBase64(given(caret)),
        ...(draft.media && draft.name ? { name: draft.name } : {}),
        ...(draft.parent ? { parent: draft.parent } : {}),
      })
    },
    /** What Ctrl+Enter means: go on with what is shown, or begin with the draft. */
    goAhead(): void {
      const [id] = get().shown
      if (id) actions.goOn(id)
      else actions.generate()
    },
    stop: () => send({ type: "stop" }),
    goOn(id: string): void {
      if (get().run) return
      const { length, untilEnd } = get().settings
      ask({ type: "continue", id, length, untilEnd })
    },
    /** The same prompt with another seed. */
    regenerate(id: string): void {
      const item = get().items.get(id)
      const c = get().contents.get(id)
      if (!item || !c || get().run) return
      ask({
        type: "generate",
        settings: { ...nextSettings(), withinWord: item.settings.withinWord },
        given: toBase64(c.bytes.subarray(0, item.given)),
        ...(item.parent ? { parent: item.parent } : {}),
      })
    },
    /** A new branch that goes on after byte `at` of an item, with the settings as they are now. */
    fork(id: string, at: number): void {
      const c = get().contents.get(id)
      if (!c || get().run) return
      const settings = { ...nextSettings(), withinWord: true }
      ask({ type: "generate", settings, given: toBase64(c.bytes.subarray(0, at)), parent: { id, at } })
    },
    scoreDraft(): void {
      const { draft, settings } = get()
      const bytes = draft.media?.bytes ?? given()
      if (!bytes.length || get().run) return
      ask({ type: "score", pack: settings.pack, name: draft.name || "the prompt", bytes: toBase64(bytes) })
      set({ heat: true })
    },
    async openFile(file: File): Promise<void> {
      if (file.size > LARGEST_FILE) return notify("problem", tooLarge(file.name, "8 GB"))
      const name = crypto.randomUUID()
      set({ opening: file.name })
      if (await upload(file, name)) send({ type: "open", name: file.name, pack: get().settings.pack, file: name })
    },
    /** One of the files that came with the app, as if it were dropped. */
    async openExample(name: string): Promise<void> {
      const answer = await fetch(`./examples/${name}`)
      if (!answer.ok) return notify("problem", `The example ${name} cannot be read; nothing has changed.`)
      await actions.openFile(new File([await answer.blob()], name))
    },
    /** What was dropped: the two files of a pack (or a folder that holds them), or a file to go on from. */
    async drop(files: File[]): Promise<void> {
      const [json, weights] = PACK_FILES.map((name) => files.find((f) => f.name === name))
      if (json && weights) return actions.importPack(json, weights)
      const [file] = files
      if (json || weights)
        notify("problem", `A pack is two files, ${PACK_FILES.join(" and ")}; drop both, or their folder.`)
      else if (file) await actions.openFile(file)
    },
    /** Hands a pack to the host in pieces. */
    async importPack(json: File, weights: File): Promise<void> {
      notify("info", `${weights.name} is being copied and checked.`)
      const [jsonName, weightsName] = PACK_FILES
      if ((await upload(json, jsonName)) && (await upload(weights, weightsName))) send({ type: "import" })
    },
    /** Shows an item with its sisters of the same run. */
    show(id: string): void {
      const { items, contents } = get()
      const item = items.get(id)
      if (!item) return
      set({ shown: [id], managing: false, settings: item.settings })
      if (!contents.has(id)) send({ type: "read", id })
    },
    newDraft(text = ""): void {
      replaceDraft({ ...emptyDraft, text })
      set({ shown: [], managing: false })
    },
    /** Puts an item's whole text or picture into the draft, to edit and go on from. */
    edit(id: string): void {
      const item = get().items.get(id)
      const bytes = get().contents.get(id)?.bytes
      if (!item || !bytes) return
      actions.setPack(item.settings.pack)
      const pack = packOf(get())
      const unit = pack?.canvas ? unitOf(pack) : undefined
      // Of a complete picture the last row is made anew: there is always something to do.
      const kept = unit ? Math.min(unit.most - 1, Math.floor(bytes.length / unit.bytes)) * unit.bytes : bytes.length
      const content = isMedia(item.modality)
        ? { media: { bytes: bytes.slice(), kept } }
        : madeText(new TextDecoder().decode(bytes))
      replaceDraft({ ...emptyDraft, ...content })
      set({ shown: [] })
    },
    /** Saves an item as a file: a text as it is, a picture or a sound in the form that is asked for. */
    save(id: string, form?: FileForm): void {
      const item = get().items.get(id)
      const c = get().contents.get(id)
      if (form) send({ type: "export", id, form })
      else if (item && c) download(fileName(item.title, ".txt"), "text/plain", c.bytes)
    },
    rename: (id: string, title: string) =>
      title.trim() && send({ type: "rename", id, title: title.trim().slice(0, 200) }),
    favourite: (id: string, on: boolean) => send({ type: "favourite", id, on }),
    remove(id: string): void {
      const title = get().items.get(id)?.title ?? ""
      send({ type: "delete", id })
      notify("info", `“${title}” was deleted.`, () => actions.undelete(id), 12)
    },
    undelete: (id: string) => send({ type: "undelete", id }),
  }
  return { store, actions }
}

/** The pack that the next generation uses. */
export const packOf = (s: State) => s.packs.find((p) => p.name === s.settings.pack)

export type Studio = ReturnType<typeof createStudio>
