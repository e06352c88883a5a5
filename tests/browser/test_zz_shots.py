import pytest
from playwright.sync_api import expect
OUT="/tmp/hb/shots/"
pytestmark=pytest.mark.browser
def shoot(page,name,full=False):
    page.wait_for_timeout(120); page.screenshot(path=f"{OUT}{name}.png",full_page=full)
def test_states(stage,open_as,watch,newcomer):
    watch.expect(503,429)
    p=open_as(stage.cast.lead,stage.list_path)
    p.locator("h1").click(); p.keyboard.press("j"); p.keyboard.press("j"); shoot(p,"st-cursor")
    p.route("**/customers/search/", lambda r: r.fulfill(status=503,body=""))
    p.fill("#q","NL-3"); p.keyboard.press("Enter"); p.wait_for_timeout(500); shoot(p,"st-error")
    p.unroute("**/customers/search/")
    held=[]
    p.goto(stage.list_path)
    p.route("**/customers/search/", lambda r: held.append(r)); p.fill("#q","NL-3"); p.keyboard.press("Enter"); p.wait_for_timeout(900); shoot(p,"st-waiting"); held[-1].abort(); p.wait_for_timeout(200); shoot(p,"st-senderror")
    watch.faults.clear()
    p.goto(stage.profile_path()); 
    p.route("**/properties/", lambda r: held.append(r)); p.click("#tab-properties"); p.wait_for_timeout(900); shoot(p,"st-bones"); held[-1].fulfill(status=503,body=""); p.wait_for_timeout(300); shoot(p,"st-taberror"); p.unroute("**/properties/")
    p.goto(stage.profile_path()); p.keyboard.press("j"); p.keyboard.press("j"); shoot(p,"st-event-cursor"); 
    p.keyboard.press("Enter"); shoot(p,"st-event-open")
    p.emulate_media(color_scheme="dark"); shoot(p,"st-event-open-dark"); p.emulate_media(color_scheme="light")
    p.goto(stage.profile_path(stage.bo)); shoot(p,"st-bo")
    from customers.models import AuditEntry; from customers.audit import LOOKUP
    AuditEntry.objects.bulk_create(AuditEntry(user_id=newcomer.pk, face="ui", action=LOOKUP) for _ in range(60))
    p=open_as(newcomer,stage.list_path); p.fill("#q","anna.canary@fjord.example"); p.keyboard.press("Enter"); p.wait_for_timeout(500); shoot(p,"st-429")
    from customers.models import User
    User.objects.filter(pk=newcomer.pk).update(density="compact")
    p.goto(stage.list_path); shoot(p,"st-compact-list"); p.goto(stage.profile_path()); shoot(p,"st-compact-profile")
    p=open_as(stage.cast.lead,stage.list_path,width=1024); p.fill("#q","somebody 1"); p.keyboard.press("Enter"); p.wait_for_timeout(500); shoot(p,"st-1024")
    p.goto(stage.profile_path()); shoot(p,"st-1024-profile")
    p.set_viewport_size(dict(width=640,height=800)); shoot(p,"st-640-profile",True)
    p=open_as(stage.cast.support,stage.list_path,width=400); p.fill("#q","NL-30"); p.keyboard.press("Enter"); p.wait_for_timeout(500); shoot(p,"st-400")
    p=open_as(None,"/accounts/login/"); shoot(p,"st-login")
    p=open_as(stage.cast.outsider,stage.empty_path); shoot(p,"st-first")
