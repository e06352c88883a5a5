import os, time, pytest
from pathlib import Path
from tests.browser.measure import barriers, sideways, AXE
pytestmark=pytest.mark.browser
hz=os.sysconf('SC_CLK_TCK')
def cpu():
    par={};t={};c={}
    for d in os.listdir('/proc'):
        if d.isdigit():
            try:
                s=Path(f'/proc/{d}/stat').read_text(); f=s[s.rindex(')')+2:].split(); par[int(d)]=int(f[1]); t[int(d)]=f; c[int(d)]=s[s.index('(')+1:s.rindex(')')]
            except OSError: pass
    mine={os.getpid()}; ch=True
    while ch:
        ch=False
        for k,v in par.items():
            if v in mine and k not in mine: mine.add(k); ch=True
    tot=0
    for k in mine:
        if c[k].startswith('chrom'):
            # own + reaped children
            tot+=sum(map(int,t[k][11:15]))/hz
    return tot
def test_cost(stage,open_as,watch,windows):
    acc={}
    last=cpu()
    def lap(name):
        nonlocal last
        n=cpu(); acc.setdefault(name,[]).append(n-last); last=cpu()
    w=windows.of(stage.cast.support)
    p=w.new_page(); p.goto(stage.profile_path(stage.new)); last=cpu()
    for i in range(5):
        q=w.new_page(); lap("new_page")
        q.goto(stage.profile_path(stage.new)); lap("goto in new")
        q.goto(stage.profile_path(stage.new)); lap("goto again")
        q.goto("/w/nowhere/customers/"); lap("goto 404")
        q.goto(stage.profile_path(stage.new)); lap("goto again")
        q.evaluate(AXE); lap("axe script")
        q.evaluate("axe.run({resultTypes:['violations'],preload:false}).then(r=>r.violations.length)"); lap("axe light")
        q.emulate_media(color_scheme="dark"); lap("dark")
        q.evaluate("axe.run({resultTypes:['violations'],preload:false,runOnly:['color-contrast']}).then(r=>r.violations.length)"); lap("axe dark")
        sideways(q); lap("sideways")
        q.close(); time.sleep(.3); lap("close")
        time.sleep(1); lap("idle 1s")
    raise AssertionError("\n".join(f"{k}: {sum(v)/len(v):.2f}" for k,v in acc.items()))
