from tests.engine.assessment.test_event_finder import *
source = FakeSource(*(FakeProcess(pid, rss_pages=MIB_PAGES) for pid in range(9, 13)))
it = Watched(source)
it.request = request(focus=ProcessKey(12, 500))
for _ in range(3): it.step()
for pid, status in ((9, 0), (12, 0)):
    del source.processes[pid]; source.ended.append(Exit(pid, source.wall_s, status))
it.step()
a=it.engine._state.assessor
print([ (r.key, r.wanted, r.is_notable, r.exit_code) for r in a.fresh], it.events, a._exit_analysis._watched)
print(it.engine._state.assessor.ended)
