# Spack builds the checkout that this file stands in:
#
#   spack repo add CHECKOUT/jobs/spack
#   spack install plancherel        # what is committed; spack dev-build plancherel@main: as it stands
import os

from spack.package import *


class Plancherel(MakefilePackage):
    """A laboratory for MPI clusters: what training chooses in networks with a symmetry."""

    # Below jobs/spack/packages/plancherel.
    git = "file://" + os.path.abspath(os.path.join(os.path.dirname(__file__), *4 * [os.pardir]))

    license("BSD-3-Clause")

    version("main", branch="main")

    variant("analysis", default=True, description="what the scripts of analysis/ import")
    variant("zlib", default=True, description="read packed IDX files of images")
    variant("qhull", default=True, description="make hulls and triangulations of points")

    depends_on("c", type="build")
    depends_on("gmake", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("scalapack")
    # One thread per rank: ranks are what shares the work.
    depends_on("openblas threads=none")
    depends_on("netcdf-c")
    depends_on("libyaml")
    depends_on("fftw-api@3")
    depends_on("random123")
    depends_on("zlib-api", when="+zlib")
    depends_on("qhull", when="+qhull")
    depends_on("py-xarray", type="run", when="+analysis")
    depends_on("py-netcdf4", type="run", when="+analysis")
    depends_on("py-matplotlib", type="run", when="+analysis")
    depends_on("py-pandas", type="run", when="+analysis")

    def flags_of_make(self, prefix):
        """The libraries by pkg-config, MPI by its compiler."""
        spec = self.spec
        packages = ["openblas", "netcdf", "yaml-0.1", "fftw3"]
        if spec.satisfies("+zlib"):
            packages.append("zlib")
        if spec.satisfies("+qhull"):
            packages.append("qhull_r")
        found = "$(shell pkg-config --libs {0})".format(" ".join(packages))
        return [
            "CC=" + spec["mpi"].mpicc,
            "ARCH=native",
            "PKGS=" + " ".join(packages),
            "LIBS={0} {1} -lm".format(spec["scalapack"].libs.ld_flags, found),
            "PREFIX={0}".format(prefix),
        ]

    def build(self, spec, prefix):
        make(*self.flags_of_make(prefix), "all")

    def install(self, spec, prefix):
        make(*self.flags_of_make(prefix), "install")

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", join_path(self.prefix, "share", "plancherel", "analysis"))
        env.set("PLANCHEREL", join_path(self.prefix.bin, "plancherel"))
