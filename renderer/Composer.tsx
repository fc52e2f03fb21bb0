import { useRef } from "react"
import { size } from "./bytes.ts"
import { useActions, useSlice } from "./context.ts"

const examples = [
  "Once upon a time there was a little",
  "CHAPTER I\n\nThe house at the end of the lane had been empty",
  "“Where are you going?” asked the Fox.",
]

/** Where something new begins: a prompt, typed or dropped. */
export function Composer() {
  const actions = useActions()
  const draft = useSlice((s) => s.draft)
  const busy = useSlice((s) => s.run !== undefined)
  const field = useRef<HTMLTextAreaElement>(null)
  const file = useRef<HTMLInputElement>(null)
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
        <span className="count">{size(new TextEncoder().encode(draft.text).length)}</span>
      </div>
    </div>
  )
}
