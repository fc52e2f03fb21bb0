import { useEffect, useRef, useState } from "react"
import { Composer } from "./composer/Composer.tsx"
import { size } from "./lib/bytes.ts"
import { droppedFiles, ITEM_TYPE } from "./lib/drag.ts"
import { ModelsPage } from "./models/ModelsPage.tsx"
import { ResultView } from "./result/ResultView.tsx"
import { SettingsPanel } from "./settings/SettingsPanel.tsx"
import { Sidebar } from "./sidebar/Sidebar.tsx"
import { useActions, useSlice } from "./store/context.ts"

export function App() {
  const actions = useActions()
  const drafting = useSlice((s) => s.shown.length === 0)
  const managing = useSlice((s) => s.managing)
  const connected = useSlice((s) => s.connected)
  const [over, setOver] = useState(false)

  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
        e.preventDefault()
        actions.goAhead()
      } else if (e.key === "Escape") actions.stop()
    }
    const onPaste = (e: ClipboardEvent) => {
      const files = [...(e.clipboardData?.files ?? [])]
      if (!files.length) return
      e.preventDefault()
      void actions.drop(files)
    }
    addEventListener("keydown", onKey)
    addEventListener("paste", onPaste)
    return () => {
      removeEventListener("keydown", onKey)
      removeEventListener("paste", onPaste)
    }
  }, [actions])

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the whole window takes drops; "Open a file" is its keyboard way
    <div
      className="app"
      onDragOver={(e) => {
        e.preventDefault()
        setOver(true)
      }}
      onDragLeave={(e) => e.currentTarget === e.target && setOver(false)}
      onDrop={(e) => {
        e.preventDefault()
        setOver(false)
        const item = e.dataTransfer.getData(ITEM_TYPE)
        if (item) actions.edit(item)
        else void droppedFiles(e.dataTransfer).then((files) => actions.drop(files))
      }}
    >
      <Sidebar />
      <main>
        {managing ? <ModelsPage /> : drafting ? <Composer /> : <ResultView />}
        <Notices />
        <Progress />
      </main>
      <SettingsPanel />
      {over && <div className="drop">Drop it anywhere to go on from it</div>}
      {!connected && <div className="offline">Connecting to the app… what you made is kept.</div>}
    </div>
  )
}

const phases = {
  measuring: "Finding out what is fastest here",
  loading: "Loading the model",
  reading: "Reading the prompt",
  writing: "Writing",
}

/** Phase, bytes, speed and time left of what is being written. */
function Progress() {
  const actions = useActions()
  const run = useSlice((s) => s.run)
  const opening = useSlice((s) => s.opening)
  const speed = useRef({ at: 0, text: "" })
  if (!run) return <div className="progress">{opening && <span role="status">Reading {opening}</span>}</div>
  const share = run.total ? Math.min(1, run.made / run.total) : 0
  const elapsed = (performance.now() - run.began - (run.firstPatch ?? 0)) / 1000
  if (performance.now() - speed.current.at > 300) {
    const rate = elapsed > 0.2 ? run.bytes / elapsed : 0
    const left = Math.ceil((run.total - run.made) * (elapsed / Math.max(1, run.made - run.before)))
    const first = run.firstPatch ? ` · first patch ${(run.firstPatch / 1000).toFixed(2)} s` : ""
    // A window that came late does not know how many bytes the characters before it took.
    const bytes = run.unit === "characters" && !run.before ? `${size(run.bytes)} · ` : ""
    speed.current = {
      at: performance.now(),
      text: rate ? `${bytes}${size(Math.round(rate))}/s${run.total ? ` · ${left} s left` : ""}${first}` : "",
    }
  }
  return (
    <div className="progress busy">
      <div
        className="bar"
        role="progressbar"
        aria-label="Progress"
        aria-valuemin={0}
        aria-valuemax={100}
        {...(run.total ? { "aria-valuenow": Math.round(100 * share) } : {})}
      >
        <div style={{ width: `${100 * share}%` }} />
      </div>
      <span role="status">{phases[run.phase]}</span>
      <span className="count">
        {(run.total > 0 || run.made > 0) &&
          `${run.total ? `${Math.min(run.made, run.total)} of ${run.total}` : run.made} ${run.unit} ${speed.current.text && `· ${speed.current.text}`}`}
      </span>
      <button type="button" onClick={() => actions.stop()}>
        Stop <kbd>Esc</kbd>
      </button>
    </div>
  )
}

function Notices() {
  const actions = useActions()
  const notices = useSlice((s) => s.notices)
  return (
    <div className="notices" aria-live="polite">
      {notices.map((n) => (
        <div key={n.key} className={n.kind}>
          <span>{n.text}</span>
          {n.undo && (
            <button
              type="button"
              onClick={() => {
                n.undo?.()
                actions.dismiss(n.key)
              }}
            >
              Undo
            </button>
          )}
          {n.details && (
            <button type="button" onClick={() => void navigator.clipboard.writeText(`${n.text}\n\n${n.details}`)}>
              Copy details
            </button>
          )}
          <button type="button" aria-label="Dismiss" onClick={() => actions.dismiss(n.key)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  )
}
