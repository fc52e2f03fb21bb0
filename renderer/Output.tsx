import { useActions, useSlice } from "./context.ts"
import { Strip } from "./Strip.tsx"
import { TextView } from "./TextView.tsx"

/** What was made: the variations of a run side by side, each with its strip of patches. */
export function Output() {
  const shown = useSlice((s) => s.shown)
  return (
    <div className="output">
      <div className="columns">
        {shown.map((id, i) => (
          <Column key={id} id={id} number={shown.length > 1 ? i + 1 : undefined} />
        ))}
      </div>
    </div>
  )
}

function Column({ id, number }: { id: string; number: number | undefined }) {
  const actions = useActions()
  const item = useSlice((s) => s.items.get(id))
  const content = useSlice((s) => s.contents.get(id))
  const version = useSlice((s) => s.version)
  const run = useSlice((s) => s.run)
  const heat = useSlice((s) => s.heat)
  const patch = useSlice((s) => s.packs.find((p) => p.name === item?.settings.pack)?.patch ?? 8)
  if (!item || !content) return <div className="column" aria-busy="true" />
  const live = run?.ids.includes(id) ?? false
  const text = () => new TextDecoder().decode(content.bytes)
  const save = () => {
    const url = URL.createObjectURL(new Blob([content.bytes.slice()], { type: "text/plain" }))
    const link = document.createElement("a")
    link.href = url
    link.download = `${
      item.title
        .replace(/[^\p{L}\p{N} ]+/gu, "")
        .slice(0, 40)
        .trim() || "output"
    }.txt`
    link.click()
    URL.revokeObjectURL(url)
  }
  return (
    <article className="column" aria-label={number ? `Variation ${number}` : item.title}>
      <header>
        <h2 title={item.title}>{number ? `${number} · ${item.title}` : item.title}</h2>
        <button type="button" aria-pressed={heat} onClick={() => actions.setHeat(!heat)}>
          Surprise
        </button>
        <button
          type="button"
          onClick={() => void navigator.clipboard.writeText(text()).then(() => actions.notify("info", "Copied."))}
        >
          Copy
        </button>
        <button type="button" onClick={save}>
          Save as…
        </button>
      </header>
      <TextView
        content={content}
        version={version}
        given={item.given}
        patch={patch}
        heat={heat}
        live={live}
        label={`Text of ${item.title}`}
      />
      <Strip
        content={content}
        version={version}
        patch={patch}
        disabled={run !== undefined}
        onFork={(at) => actions.fork(id, at)}
      />
      <footer>
        <button type="button" className="primary" disabled={run !== undefined} onClick={() => actions.goOn(id)}>
          Continue
        </button>
        <button type="button" disabled={run !== undefined} onClick={() => actions.regenerate(id)}>
          Regenerate
        </button>
        <button type="button" disabled={run !== undefined} onClick={() => actions.edit(id)}>
          Edit as prompt
        </button>
        <span className="count">
          seed {item.settings.seed} · T {item.settings.sampling.temperature}
        </span>
      </footer>
    </article>
  )
}
