import { useEffect, useRef } from "react"
import { useActions, useSlice } from "../store/context.ts"

/** The document while it is written: a page to type on. Ctrl+Enter goes on after the caret. */
export function Page({ placeholder }: { placeholder: string }) {
  const actions = useActions()
  const text = useSlice((s) => s.draft.text)
  const waiting = useSlice((s) => s.run?.asked ?? false)
  const field = useRef<HTMLTextAreaElement>(null)
  const begin = useRef(useSlice((s) => s.draft.caret))
  useEffect(() => {
    const el = field.current
    if (!el) return
    el.focus()
    const at = begin.current ?? el.value.length
    el.setSelectionRange(at, at)
  }, [])
  return (
    <textarea
      ref={field}
      className="page"
      aria-label="Prompt"
      spellCheck={false}
      readOnly={waiting}
      placeholder={placeholder}
      value={text}
      onChange={(e) => {
        actions.setDraft({ text: e.target.value, caret: e.target.selectionStart })
      }}
      onSelect={(e) => actions.setDraft({ caret: e.currentTarget.selectionStart })}
    />
  )
}
