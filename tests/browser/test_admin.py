"""The Django admin under our strict policy; the watch of each test reports what the policy stops."""

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from playwright.sync_api import expect

from customers.models import PropertyDefinition
from tests.browser.conftest import OpenAs
from tests.browser.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # each opens pages in a real browser


def test_a_superuser_gets_from_the_menu_to_a_change_list_and_filters_it(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.root, stage.list_path)
    page.locator(".account").click()
    page.get_by_role("link", name="Administration").click()
    expect(page.locator("#content h1")).to_have_text("Settings")
    page.get_by_role("link", name="Property definitions").click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    page.locator("#changelist-filter").get_by_role("link", name="Elsewhere").click()
    expect(page.locator("#result_list tbody tr", has_text="Shop")).to_have_count(0)


def test_a_definition_is_added_in_the_admin(open_as: OpenAs, stage: Stage):
    page = open_as(stage.cast.root, "/admin/customers/propertydefinition/add/")
    page.select_option("#id_workspace", label=stage.cast.workspace.name)
    page.fill("#id_path", "shoe_size")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert PropertyDefinition.objects.get(path="shoe_size").workspace == stage.cast.workspace


def test_the_form_of_a_periodic_task_says_what_a_crontab_means(open_as: OpenAs, stage: Stage):
    nightly = CrontabSchedule.objects.create(minute="5", hour="4")
    page = open_as(stage.cast.root, "/admin/django_celery_beat/periodictask/add/")
    page.fill("#id_name", "Forget handles")
    page.select_option("#id_regtask", "customers.tasks.forget_expired_handles")
    page.select_option("#id_crontab", str(nightly.pk))
    expect(page.locator(".field-crontab .help")).to_contain_text("Means: At 04:05 AM")
    page.select_option("#id_crontab", "")
    expect(page.locator(".field-crontab .help")).not_to_contain_text("Means")
    page.select_option("#id_crontab", str(nightly.pk))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert PeriodicTask.objects.get(name="Forget handles").crontab == nightly
