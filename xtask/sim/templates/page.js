const log = document.getElementById("log");
log.scrollTop = log.scrollHeight;
new EventSource(log.dataset.follow).onmessage = (event) => {
  const last = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  log.append(event.data + "\n");
  if (last) log.scrollTop = log.scrollHeight;
};
