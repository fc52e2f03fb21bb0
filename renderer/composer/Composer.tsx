import { useRef } from "react"
import type { PackSummary } from "../../contract/app.ts"
import { rowBytes } from "../../contract/pack.ts"
import { size } from "../lib/bytes.ts"
import { PicturePrompt } from "../picture/PictureView.tsx"
import { SoundPrompt } from "../sound/WaveView.tsx"
import { useActions, useSlice } from "../store/context.ts"
import { packOf, stylesOf } from "../store/store.ts"

const examples = [
  "Once upon a time there was a little",
  "CHAPTER I\n\nThe house at the end of the lane had been empty",
  "“Where are you going?” asked the Fox.",
]

/** Where something new begins, in the form that suits the chosen model. */
export function Composer() {
  const pack = useSlice(packOf)
  return pack?.canvas || pack?.sound ? <MediaComposer pack={pack} /> : <TextComposer />
}

/** A picture or a sound begins with a style, or with the first rows or seconds of a file. */
function MediaComposer({ pack: { canvas, sound } }: { pack: PackSummary }) {
  const actions = useActions()
  const draft = useSlice((s) => s.draft)
  const busy = useSlice((s) => s.run !== undefined)
  const { media } = draft
  const noun = canvas ? "picture" : "sound"
  const keep = (kept: number) => media && actions.setDraft({ media: { ...media, kept } })
  return (
    <div className="composer">
      <h1>{draft.name || (media ? `Go on from this ${noun}` : `Choose a style, or drop a ${noun}`)}</h1>
      {draft.note && <p className="note">{draft.note}</p>}
      {media && canvas && (
        <PicturePrompt
          bytes={media.bytes}
          canvas={canvas}
          rows={media.kept / rowBytes(canvas)}
          onRows={(rows) => keep(rows * rowBytes(canvas))}
        />
      )}
      {media && sound && <SoundPrompt bytes={media.bytes} sound={sound} kept={media.kept} onKept={keep} />}
      {!media && canvas && (
        <p className="lead">
          Pictures of {canvas.width} × {canvas.height} pixels, made byte by byte from the top left. A dropped picture is
          brought to that size, and goes on from the row you choose.
        </p>
      )}
      {!media && sound && (
        <p className="lead">
          Sound of {sound.rate / 1000} kHz, made sample by sample; you can hear it while it is still being made. A
          dropped recording goes on from the time you choose.
        </p>
      )}
      <Styles />
      {!media && (
        <div className="examples">
          <button type="button" onClick={() => void actions.openExample(canvas ? "monster.png" : "chorale.flac")}>
            {canvas ? "Try it on an example: a little monster" : "Try it on an example: a chorale on the organ"}
          </button>
        </div>
      )}
      <div className="actions">
        {/* biome-ignore lint/a11y/noAutofocus: the first thing to do here */}
        <button type="button" className="primary" autoFocus disabled={busy} onClick={() => actions.generate()}>
          {media ? `Continue the ${noun}` : `Make a ${noun}`} <kbd>Ctrl ↵</kbd>
        </button>
        <button type="button" disabled={busy || !media} onClick={() => actions.scoreDraft()}>
          Score
        </button>
        <OpenFile />
        {media && (
          <button type="button" onClick={() => actions.newDraft()}>
            Without a {noun}
          </button>
        )}
      </div>
      {!media && <div className="spacer" />}
    </div>
  )
}

/** The styles of the chosen model, where it has some. */
function Styles() {
  const actions = useActions()
  const { styles } = stylesOf(useSlice(packOf))
  const style = useSlice((s) => s.settings.style)
  if (!styles.length) return null
  return (
    <fieldset className="styles">
      <legend>Style</legend>
      {styles.map((name, i) => (
        <button type="button" key={name} aria-pressed={style === i} onClick={() => actions.setSettings({ style: i })}>
          {name}
        </button>
      ))}
    </fieldset>
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
      <Styles />
      {!draft.text && (
        <div className="examples">
          {examples.map((text) => (
            <button type="button" key={text} onClick={() => actions.newDraft(text)}>
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
