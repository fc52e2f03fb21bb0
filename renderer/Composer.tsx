import { useRef } from "react"
import type { Canvas } from "../contract/pack.ts"
import { size } from "./bytes.ts"
import { useActions, useSlice } from "./context.ts"
import { PicturePrompt } from "./PictureView.tsx"
import { packOf } from "./store.ts"

const examples = [
  "Once upon a time there was a little",
  "CHAPTER I\n\nThe house at the end of the lane had been empty",
  "“Where are you going?” asked the Fox.",
]

/** Where something new begins, in the form that suits the chosen model. */
export function Composer() {
  const canvas = useSlice((s) => packOf(s)?.canvas)
  return canvas ? <PictureComposer canvas={canvas} /> : <TextComposer />
}

/** A picture begins with a style, or with the first rows of a file. */
function PictureComposer({ canvas }: { canvas: Canvas }) {
  const actions = useActions()
  const draft = useSlice((s) => s.draft)
  const busy = useSlice((s) => s.run !== undefined)
  const style = useSlice((s) => s.settings.style)
  const { picture } = draft
  return (
    <div className="composer">
      <h1>{draft.name || (picture ? "Go on from this picture" : "Choose a style, or drop a picture")}</h1>
      {draft.note && <p className="note">{draft.note}</p>}
      {picture ? (
        <PicturePrompt
          bytes={picture.bytes}
          canvas={canvas}
          rows={picture.rows}
          onRows={(rows) => actions.setDraft({ picture: { ...picture, rows } })}
        />
      ) : (
        <p className="lead">
          Pictures of {canvas.width} × {canvas.height} pixels, made byte by byte from the top left. A dropped picture is
          brought to that size, and goes on from the row you choose.
        </p>
      )}
      <fieldset className="styles">
        <legend>Style</legend>
        {canvas.styles.map((name, i) => (
          <button type="button" key={name} aria-pressed={style === i} onClick={() => actions.setSettings({ style: i })}>
            {name}
          </button>
        ))}
      </fieldset>
      <div className="actions">
        {/* biome-ignore lint/a11y/noAutofocus: the first thing to do here */}
        <button type="button" className="primary" autoFocus disabled={busy} onClick={() => actions.generate()}>
          {picture ? "Continue the picture" : "Make a picture"} <kbd>Ctrl ↵</kbd>
        </button>
        <button type="button" disabled={busy || !picture} onClick={() => actions.scoreDraft()}>
          Score
        </button>
        <OpenFile />
        {picture && (
          <button type="button" onClick={() => actions.newDraft()}>
            Without a picture
          </button>
        )}
      </div>
      {!picture && <div className="spacer" />}
    </div>
  )
}

/** A text begins with a prompt, typed or dropped. */
function TextComposer() {
  const actions = useActions()
  const draft = useSlice((s) => s.draft)
  const busy = useSlice((s) => s.run !== undefined)
  const field = useRef<HTMLTextAreaElement>(null)
  return (
    <div className="composer">
      <h1>{draft.name || "Begin with a few words, or drop a file"}</h1>
      {draft.note && <p className="note">{draft.note}</p>}
      <textarea
        ref={field}
        // biome-ignore lint/a11y/noAutofocus: the first thing to do here is to type
        autoFocus
        aria-label="Prompt"
        spellCheck={false}
        placeholder="Once upon a time…"
        value={draft.text}
        onChange={(e) => actions.setDraft({ text: e.target.value })}
      />
      {!draft.text && (
        <div className="examples">
          {examples.map((text) => (
            <button type="button" key={text} onClick={() => actions.setDraft({ text })}>
              {text.replace(/\n+/g, " · ")}
            </button>
          ))}
        </div>
      )}
      <div className="actions">
        <button type="button" className="primary" disabled={busy} onClick={() => actions.generate()}>
          {draft.text ? "Continue the text" : "Write something"} <kbd>Ctrl ↵</kbd>
        </button>
        <button
          type="button"
          disabled={busy || !draft.text}
          onClick={() => actions.generate(field.current?.selectionStart ?? draft.text.length)}
        >
          From the cursor
        </button>
        <button type="button" disabled={busy || !draft.text} onClick={() => actions.scoreDraft()}>
          Score
        </button>
        <OpenFile />
        <span className="count">{size(new TextEncoder().encode(draft.text).length)}</span>
      </div>
    </div>
  )
}

/** The keyboard's way to drop a file. */
function OpenFile() {
  const actions = useActions()
  const file = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" onClick={() => file.current?.click()}>
        Open a file…
      </button>
      <input
        ref={file}
        type="file"
        hidden
        onChange={(e) => {
          const [chosen] = e.target.files ?? []
          if (chosen) void actions.openFile(chosen)
          e.target.value = ""
        }}
      />
    </>
  )
}
