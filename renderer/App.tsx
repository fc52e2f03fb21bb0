import { useCallback, useContext, useEffect, useState } from "react"
import { Home } from "./home/Home.tsx"
import { onKey } from "./keys.ts"
import { droppedFiles, ITEM_TYPE } from "./lib/drag.ts"
import { LibraryPanel } from "./library/LibraryPanel.tsx"
import { ModelsPage } from "./models/ModelsPage.tsx"
import { SettingsPanel } from "./settings/SettingsPanel.tsx"
import { StudioContext, useActions, useSlice } from "./store/context.ts"
import { IconButton } from "./ui/Button.tsx"
import { Help } from "./ui/Help.tsx"
import { Notices } from "./ui/Notices.tsx"
import { Work } from "./work/Work.tsx"

export function App() {
  const view = useSlice((s) => s.view)
  const connected = useSlice((s) => s.connected)
  const libraryOpen = useSlice((s) => s.libraryOpen)
  const settingsOpen = useSlice((s) => s.settingsOpen)
  const helpOpen = useSlice((s) => s.helpOpen)
  const opening = useSlice((s) => s.opening)
  const [renaming, setRenaming] = useState(false)
  const [over, drop] = useDrop()
  const rename = useCallback(() => setRenaming(true), [])
  useKeys(rename)
  useNarrow()
  const open = `${libraryOpen ? " library-open" : ""}${settingsOpen ? " settings-open" : ""}`
  return (
    <div className={`app${open}`} {...drop}>
      <a className="skip" href="#work">
        Skip to the work
      </a>
      {libraryOpen && (
        <a className="skip" href="#library">
          Skip to the library
        </a>
      )}
      {libraryOpen ? <LibraryPanel /> : <Collapsed />}
      <main>
        {view === "models" ? (
          <ModelsPage />
        ) : view === "home" ? (
          <Home />
        ) : (
          <Work renaming={renaming} onRename={setRenaming} />
        )}
        {opening && (
          <p className="opening" role="status">
            Reading {opening}
          </p>
        )}
        <Notices />
      </main>
      {settingsOpen && <SettingsPanel />}
      {helpOpen && <Help />}
      {over && <div className="drop">Drop to go on from it</div>}
      {!connected && <Offline />}
    </div>
  )
}

/** Milliseconds without the app after which it has ended, rather than slept. */
const ENDED = 8000

/** Says that the app is away, and what to do where it does not come back. */
function Offline() {
  const [ended, setEnded] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setEnded(true), ENDED)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div className="offline" role="status">
      {ended
        ? "The app has ended, and what you made is kept. Start it, and open the address that it prints."
        : "Connecting to the app… what you made is kept."}
    </div>
  )
}

/** What of the library is there while it is hidden: how to show it, and how to begin anew. */
function Collapsed() {
  const actions = useActions()
  return (
    <nav className="collapsed" aria-label="Library">
      <IconButton icon="library" label="Show the library" onClick={() => actions.open({ libraryOpen: true })} />
      <IconButton icon="add" label="New" onClick={() => actions.newDraft()} />
      <IconButton icon="help" label="Keys" onClick={() => actions.open({ helpOpen: true })} />
    </nav>
  )
}

/** In a narrow window the panels lie over the work: they are closed, until they are asked for. */
function useNarrow(): void {
  const actions = useActions()
  const view = useSlice((s) => s.view)
  const chosen = useSlice((s) => s.chosen)
  useEffect(() => {
    const narrow = matchMedia("(max-width: 1000px)")
    const adapt = () =>
      actions.open({ libraryOpen: !narrow.matches, ...(narrow.matches ? { settingsOpen: false } : {}) })
    adapt()
    narrow.addEventListener("change", adapt)
    return () => narrow.removeEventListener("change", adapt)
  }, [actions])
  // What was chosen in the panel is looked at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view or item is the occasion
  useEffect(() => {
    if (matchMedia("(max-width: 1000px)").matches) actions.open({ libraryOpen: false })
  }, [actions, view, chosen])
}

/** The keys of the whole window, and files that are pasted. */
function useKeys(rename: () => void): void {
  const studio = useContext(StudioContext)
  useEffect(() => {
    if (!studio) return
    const key = (e: KeyboardEvent) => {
      if (!e.defaultPrevented && onKey(e, studio, { rename })) e.preventDefault()
    }
    const paste = (e: ClipboardEvent) => {
      const files = [...(e.clipboardData?.files ?? [])]
      if (!files.length) return
      e.preventDefault()
      void studio.actions.drop(files)
    }
    addEventListener("keydown", key)
    addEventListener("paste", paste)
    return () => {
      removeEventListener("keydown", key)
      removeEventListener("paste", paste)
    }
  }, [studio, rename])
}

/** Files and items of the library that are dropped anywhere; whether something is held over the window. */
function useDrop(): [boolean, React.DOMAttributes<HTMLDivElement>] {
  const actions = useActions()
  const [over, setOver] = useState(false)
  return [
    over,
    {
      onDragOver: (e) => {
        e.preventDefault()
        setOver(true)
      },
      onDragLeave: (e) => e.currentTarget === e.target && setOver(false),
      onDrop: (e) => {
        e.preventDefault()
        setOver(false)
        const item = e.dataTransfer.getData(ITEM_TYPE)
        if (item) {
          actions.show(item)
          actions.edit(item)
        } else void droppedFiles(e.dataTransfer).then((files) => actions.drop(files))
      },
    },
  ]
}
