"""Pages about people."""

from django.urls import path

from customers import views

app_name = "customers"

urlpatterns = [
    path("customers/", views.customer_list, name="list"),
    path("customers/search/", views.customer_search, name="search"),
    path("customers/<uuid:customer>/", views.customer_detail, name="detail"),
    path("customers/<uuid:customer>/<slug:tab>/", views.customer_tab, name="tab"),
]
