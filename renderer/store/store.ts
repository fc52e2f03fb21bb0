import type { Preferences } from "../../contract/app.ts"
import { createContents } from "./contents.ts"
import { createCore } from "./core.ts"
import { createDrafts } from "./drafts.ts"
import { createReceiver } from "./events.ts"
import { createFiles } from "./files.ts"
import type { Host } from "./host.ts"
import { createImports } from "./imports.ts"
import { createLibrary } from "./library.ts"
import { createRuns } from "./runs.ts"
import { createShowing } from "./showing.ts"
import type { State, View } from "./state.ts"

/** The window's state and everything a person can do to it. */
export function createStudio(host: Host) {
  const core = createCore(host)
  const { store, set, ask, notify, dismiss } = core
  const contents = createContents(core)
  const imports = createImports(core)
  const drafts = createDrafts(core)
  const runs = createRuns(core, drafts, () => void files.next())
  const showing = createShowing(core, drafts, contents)
  const library = createLibrary(core, showing)
  const files = createFiles(core, drafts, runs, imports)
  const receive = createReceiver({ core, drafts, runs, library, files, contents })

  const actions = {
    ...drafts,
    ...runs,
    ...showing,
    ...library,
    ...files,
    ...imports,
    receive,
    notify,
    dismiss,
    disconnected: () => set({ connected: false }),
    setView: (view: View) => set({ view }),
    open: (change: Partial<Pick<State, "libraryOpen" | "settingsOpen" | "helpOpen">>) => set(change),
    tryDevices(): void {
      set({ devices: undefined })
      void ask("devices", {}, (devices) => set({ devices }))
    },
    prefer: (change: Partial<Preferences>) => ask("prefer", { preferences: change }),
    removePack: (name: string) => ask("removePack", { name }),
  }
  return { store, actions }
}

export type Studio = ReturnType<typeof createStudio>
