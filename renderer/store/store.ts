import type { Command, Preferences } from "../../contract/app.ts"
import { createCore } from "./core.ts"
import { createDrafts } from "./drafts.ts"
import { createReceiver } from "./events.ts"
import { createFiles } from "./files.ts"
import { createLibrary } from "./library.ts"
import { createRuns } from "./runs.ts"
import type { State, View } from "./state.ts"
import { createUploads } from "./uploads.ts"

/** The window's state and everything a person can do to it. `send` hands a command to the host. */
export function createStudio(send: (command: Command) => void) {
  const core = createCore(send)
  const { store, get, set, notify, dismiss } = core
  const uploads = createUploads(core)
  const drafts = createDrafts(core)
  const runs = createRuns(core, drafts)
  const library = createLibrary(core, drafts)
  const files = createFiles(core, uploads)
  const receive = createReceiver({ core, drafts, runs, library, files, uploads })

  const actions = {
    ...drafts,
    ...runs,
    ...library,
    ...files,
    receive,
    notify,
    dismiss,
    disconnected(): void {
      const { opening } = get()
      set({ connected: false, opening: undefined })
      const cut = uploads.cutOff()
      if (opening) notify("problem", `${opening} was not read, as the connection was lost; drop it again.`)
      else if (cut) notify("problem", "The pack was not imported, as the connection was lost; drop it again.")
    },
    setView: (view: View) => set({ view }),
    open: (change: Partial<Pick<State, "libraryOpen" | "settingsOpen" | "helpOpen">>) => set(change),
    tryDevices(): void {
      set({ devices: undefined })
      send({ type: "devices" })
    },
    prefer: (change: Partial<Preferences>) => send({ type: "prefer", preferences: change }),
    removePack: (name: string) => send({ type: "removePack", name }),
  }
  return { store, actions }
}

export type Studio = ReturnType<typeof createStudio>
