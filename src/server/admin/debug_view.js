// A window that shows nothing but debug messages, the newest last. At most 500 are kept.
const list = document.getElementById('messages')
const url = new URL('/comms', location.href)
url.protocol = url.protocol.replace('http', 'ws')

function show({ id, name, property, format, msg, timestamp }) {
  document.getElementById('empty').hidden = true
  const entry = document.createElement('li')
  const head = document.createElement('small')
  const parts = [new Date(timestamp ?? Date.now()).toLocaleTimeString(), name || id, property && `msg.${property}`, format]
  head.textContent = parts.filter(Boolean).join(' · ')
  const text = document.createElement('pre')
  text.textContent = msg
  entry.append(head, text)
  list.append(entry)
  while (list.children.length > 500) list.firstChild.remove()
  entry.scrollIntoView()
}

function connect() {
  const socket = new WebSocket(url)
  socket.onmessage = (event) => {
    for (const { topic, data } of JSON.parse(event.data)) if (topic === 'debug') show(data)
  }
  socket.onclose = () => setTimeout(connect, 2000)
}
connect()
