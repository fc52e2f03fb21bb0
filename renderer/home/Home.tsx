import { useEffect, useRef } from "react"
import { useActions, useSlice } from "../store/context.ts"
import { isTyped, packOf } from "../store/packs.ts"
import { Icon } from "../ui/Icon.tsx"
import { SettingsButton } from "../work/ActionBar.tsx"
import { Card } from "./Card.tsx"
import { OpenFile, Record } from "./OpenFile.tsx"
import { results } from "./results.ts"

/** The first screen: three results to begin like, a line to type on, and a place to drop anything. */
export function Home() {
  const busy = useSlice((s) => s.run !== undefined)
  return (
    <section className="home" id="work" aria-label="Begin" tabIndex={-1}>
      <header className="home-head">
        <h1>What shall we make?</h1>
        <SettingsButton />
      </header>
      <ul className="cards">
        {results.map((result) => (
          <Card key={result.modality} result={result} />
        ))}
      </ul>
      <Line />
      <p className="drop-hint">
        <Icon name="file" />
        <span>
          Or drop a text, a picture or a sound
          <span className="wide">: go on from it, or see what surprises the model</span>.
        </span>
        <OpenFile /> <Record />
      </p>
      {busy && <p role="status">Something is being made…</p>}
    </section>
  )
}

/** Where a story begins with one's own words. */
function Line() {
  const actions = useActions()
  const text = useSlice((s) => s.draft.text)
  const pack = useSlice(packOf)
  const texts = useSlice((s) => s.packs.find((p) => isTyped(p.modality) && !p.problem))
  const busy = useSlice((s) => s.run !== undefined)
  const field = useRef<HTMLTextAreaElement>(null)
  const beginnings = useSlice((s) => s.beginnings)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another beginning is the occasion
  useEffect(() => field.current?.focus(), [beginnings])
  const isText = isTyped(pack?.modality)
  return (
    <div className="line">
      <textarea
        ref={field}
        aria-label="Prompt"
        rows={text.includes("\n") || text.length > 90 ? 3 : 1}
        spellCheck={false}
        placeholder="Or write the first words of a story yourself…"
        value={text}
        onChange={(e) => {
          if (!isText && texts) actions.setPack(texts.name)
          actions.setDraft({ text: e.target.value, caret: e.target.selectionStart })
        }}
        onSelect={(e) => actions.setDraft({ caret: e.currentTarget.selectionStart })}
      />
      {text && (
        <button type="button" onClick={() => actions.scoreDraft()} disabled={busy}>
          <Icon name="surprise" /> Surprise
        </button>
      )}
      <button type="button" className="primary" disabled={busy || !isText} onClick={() => actions.generate()}>
        {text ? "Continue the text" : "Write something"} <kbd>Ctrl ↵</kbd>
      </button>
    </div>
  )
}
