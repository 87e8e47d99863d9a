/** Topics of the broker as help for typing: which fit what was typed, which a filter matches. */
import type { TopicSeen } from '../api/types'

/** Whether a topic filter with `+` and `#` matches a topic. */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  for (const [index, part] of wanted.entries()) {
    if (part === '#') return true
    if (index >= levels.length || (part !== '+' && part !== levels[index])) return false
  }
  return wanted.length === levels.length
}

/** At most 30 topics for what was typed: those that begin with it first, then those that hold it. */
export function suggestTopics(topics: readonly TopicSeen[], typed: string): TopicSeen[] {
  const text = typed.toLowerCase()
  const fit = topics.filter(
    (seen) => seen.topic !== typed && (seen.topic.toLowerCase().includes(text) || matchesFilter(typed, seen.topic)),
  )
  const rank = (seen: TopicSeen): number => (seen.topic.toLowerCase().startsWith(text) ? 0 : 1)
  return fit.sort((a, b) => rank(a) - rank(b) || a.topic.localeCompare(b.topic)).slice(0, 30)
}
