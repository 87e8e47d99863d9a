/** Whether keys and the clipboard belong to something else than the flows at the moment. */

/** Whether somebody is writing there, so that letters and Delete are theirs. */
export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.closest('input, textarea, select, [role=textbox], .cm-editor') !== null
}

/** Whether cut, copy and paste there are about text, or about something in a dialog. */
export function ownsClipboard(target: EventTarget | null): boolean {
  if (isWriting(target)) return true
  return target instanceof HTMLElement && target.closest('dialog, [popover]') !== null
}
